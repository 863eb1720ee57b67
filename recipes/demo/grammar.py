"""Words and frames of the demo corpus's sentences: the project's own."""

# Alternatives are separated by a bar; a name in braces is another slot.
SLOTS = {
    "person": "my mother|the teacher|our neighbour|the farmer|her brother"
    "|the doctor|the young girl|the old man|his sister|the baker|my uncle"
    "|the driver|the captain|the student|the nurse|my best friend"
    "|the little boy|my father|the painter",
    "kin": "my mother|her brother|our neighbour|his sister|my uncle"
    "|my best friend|my father|his aunt",
    "group": "the children|my parents|the students|our friends|the women"
    "|our neighbours|the girls|the boys",
    "whom": "me|us|the children|her brother|his friend|my aunt|the class"
    "|our neighbour|the old man",
    "past": "last night|last week|yesterday|on Monday|this morning|on Sunday",
    "season": "last summer|last winter|last week|yesterday",
    "long": "all night|all morning|all day|last night|yesterday|all winter",
    "future": "tomorrow|this evening|on Sunday|next week|tomorrow morning"
    "|after dinner|on Friday|before lunch",
    "habit": "every morning|every evening|every day|every Sunday",
    "meal": "for breakfast|for lunch|for dinner|for us|for the children",
    "hour": "six|seven|eight|nine|ten|noon|midnight",
    "number": "two|three|four|five|six|seven|eight|nine|ten|twelve|many",
    "colour": "red|blue|green|yellow|black|white|grey|brown",
    "food": "chicken soup|fried fish|rice and beans|hot potatoes|apple pie"
    "|fresh vegetables|chocolate cake|bread and cheese|fish soup",
    "drink": "hot tea|black coffee|cold water|warm milk|orange juice",
    "goods": "a red coat|three oranges|a new lamp|some yellow flowers"
    "|a wooden chair|a pair of shoes|a silver ring|two blue cups"
    "|a warm blanket|an old clock|a black hat|a bag of apples|a small radio"
    "|a glass bowl|an old map|a birthday present|a box of chocolate",
    "object": "key|ticket|map|umbrella|newspaper|blue cup|camera|letter|money"
    "|hammer|hat|lamp|phone|knife|basket|radio|blanket",
    "shop": "at the market|in the shop|in town|near the station"
    "|in the old shop|in the city",
    "animal": "the cat|a white dog|the black horse|the grey rabbit"
    "|a brown bear|the little bird|a green frog|the old goat|a young fox"
    "|the hungry wolf",
    "hunter": "a white dog|the old goat|the black horse|the hungry wolf"
    "|a brown bear|a young fox",
    "outdoors": "behind the house|near the river|under the old tree"
    "|in the tall grass|beside the road|on the stone wall|by the fence"
    "|near the bridge|on the hill|in the garden|in the forest|by the lake",
    "landmark": "by the lake|near the river|beside the road|near the bridge",
    "motion": "across the road|through the garden|over the bridge"
    "|into the forest|along the river|down the hill|around the lake"
    "|through the snow|along the beach",
    "inland": "the mountains|the city|the village|the hills|the forest"
    "|the valley|the coast",
    "land": "the mountains|the city|the lake|the village|the hills|the sea"
    "|the forest|the island|the valley|the coast",
    "meeting": "at the station|by the bridge|in the library|in the park"
    "|outside the church|near the school|at the hospital|in the kitchen",
    "furniture": "on the table|on the shelf|in the box|in the drawer"
    "|under the bed|by the window|near the door|in the basket",
    "building": "church|bridge|school|tower|castle|hotel|station|museum"
    "|library|hospital",
    "work": "hotel|hospital|station|museum|library|school|market|airport",
    "topic": "the sea|winter|horses|the moon|an old king|birds|the city"
    "|music|summer|a brave queen|a lost ship",
    "sight": "the moon|the sea|the first snow|the new baby|a brown bear"
    "|an old friend|the tall ship",
    "feeling": "happy|tired|angry|quiet|sad|hungry|proud|nervous|busy",
    "event": "after the game|before the test|before the wedding|after school"
    "|after a long day|at the party|during the film|all week",
    "plan": "stay home|walk to work|read a book|play chess|watch a film"
    "|visit the museum|call the doctor|wash the dishes|clean the house"
    "|take the bus|paint the kitchen",
    "chore": "feeds the birds|walks to work|reads the newspaper"
    "|waters the flowers|makes black coffee|rides to school"
    "|runs in the park|sings a song|cleans the kitchen|opens the window",
    "crop": "red roses|apple trees|potatoes|tomatoes|yellow flowers|beans"
    "|carrots",
    "plot": "behind the house|near the gate|along the fence|beside the wall"
    "|in the garden|by the river",
    "weather": "cold|warm|terrible|beautiful|wet|dry|sunny",
    "sky": "dark clouds|cold rain|heavy snow|a strong wind|a summer storm",
    "sound": "a loud noise|a strange voice|soft music|the church bell"
    "|a dog|the wind|a baby|the train|someone singing",
    "dark": "in the night|behind the wall|outside the window|near the door"
    "|across the lake|in the next room|in the dark",
    "body": "leg|hand|head|foot|back|knee|shoulder|arm",
    "effect": "we stayed home|they went inside|I closed the window"
    "|she lit the fire|we left early|the game ended early",
    "cause": "the weather was bad|it was raining|it was too cold|it was dark"
    "|a storm was coming|it was very late|the wind was strong",
    "part": "kitchen floor|front door|garden fence|old roof|garden gate|car"
    "|boat|kitchen table|bicycle|bathroom window",
    "skill": "swim|dance|drive|cook|read|sing|paint|ride a horse",
}

# A slash inside brackets chooses among words that one frame alone uses.
FRAMES = """
{person} [made/brought/ordered] {food} {meal}.
{person} ate {food} [for breakfast/for lunch/for dinner/at the party].
{person} drank {drink} {meeting}.
{person} [bought/found/sold/saw] {goods} {shop}.
{animal} [slept/waited/hid/sat/rested] {outdoors}.
{animal} [ran/walked/came] {motion} {past}.
{hunter} [chased/followed] {person} {motion}.
it [rained/snowed] in {inland} {long}.
it will [rain/snow/be cold/be warm] {future}.
the weather was {weather} {season}.
{sky} came over {land} {past}.
{person} [caught/missed/took] the [early/last/first] [train/bus/boat] {past}.
the [train/bus] to {inland} [leaves/arrives] at {hour}.
the boat to [the island/the village/the coast] leaves at {hour}.
the train from {inland} arrived [late/early/at midnight/before noon].
{person} [drove/walked/travelled] to {land} {season}.
{person} [read/wrote/finished/loved] a [book/story/poem] about {topic}.
{group} sang a song about {topic}.
{person} [gave/sent/showed/sold] {whom} {goods}.
{person} [cleaned/painted/repaired] the {part} {past}.
did you [see/find/buy] {goods} {shop}?
where did {person} [put/leave/hide/find/buy] the {object}?
have you seen my {object} {meeting}?
who [took/moved/lost/found] the {object} {past}?
can you [bring/carry/take/send] the {object} to {person}?
when will {person} [come home/visit us/call you/finish work/leave the city]?
why was {person} so {feeling} {event}?
how many [birds/rabbits/people/children] are {outdoors}?
do you want {drink} or {drink}?
what did {person} [say/do/see/learn/hear] {meeting}?
please [bring/give/show/send] me the {object} {future}.
please put the {object} {furniture}.
turn [left/right] [at/after/before] the {building}.
do not forget your {object} {future}.
never [walk/run/ride] {motion} at night.
wait for me {meeting} {future}.
{person} was {feeling} {event}.
{group} were [happy/glad/surprised] to see {sight}.
{person} played the [piano/violin/guitar] [after dinner/at the party/for us].
{group} played [football/chess/tennis/cards] [after school/in the park/all day].
{group} [won/lost/watched/enjoyed] the [game/race] {past}.
{person} planted {crop} {plot}.
{crop} grow well {plot}.
there are {number} [birds/rabbits/people/children] {outdoors}.
there are {number} [apples/books/bottles/boxes/candles/cups] {furniture}.
the [house/boat/car/gate] {landmark} is {colour}.
{person} wore a {colour} [coat/scarf/hat/shirt] {past}.
[we/nobody/everyone/they] heard {sound} {dark}.
{kin} [likes/loves/enjoys] [riding horses/old books/cold weather/music].
{kin} works at the {work} {habit}.
{effect} because {cause}.
the {building} is [older/bigger/taller/smaller] than the {building}.
my [brother/sister/dog/horse] is [older/taller/faster/stronger] than yours.
[his/her/my] {body} hurts [after work/in cold weather/every morning/at night].
we will meet {meeting} {future}.
I will [call/visit/help/wait for] you {future}.
the [old ship/small boat] [left/reached] [the island/the coast] {season}.
the [sun/moon] [rose over/shone on] {land}.
{person} told {whom} a [funny/sad/true/long/strange] story.
{person} learned to {skill} [at school/last summer/in one week/as a child].
I would rather {plan} than {plan}.
the [soup/coffee/tea] is too [hot/cold/strong] for {whom}.
{habit} {person} {chore}.
if it [rains/snows], we will {plan}.
[let us/we should/they want to] {plan} {future}.
""".strip().splitlines()
