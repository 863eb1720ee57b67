"""Several teachers at once, each with an aligner of its own."""


class TeacherEnsemble:
    """Takes the place of one ``cmkt_plugin.transfer.Transfer``.

    The members may differ in language model, layer, units, tap or aligner;
    each loss term of the objective is the weighted sum over the members. The
    log shows every member's terms and retrieval under its name.

    Arguments
    ---------
    members : dict
        Name to ``cmkt_plugin.transfer.Transfer``.
    weights : dict
        Name to weight; the names must be those of the members.

    Raises
    ------
    ValueError
        If there is no member, a name is no identifier, or a member has no
        weight or a weight no member.
    """

    def __init__(self, members, weights):
        if not members or set(members) != set(weights):
            raise ValueError(
                f"ensemble: members are {sorted(members)}, weights are for "
                f"{sorted(weights)}. Give every member exactly one weight."
            )
        wrong = [name for name in members if not str(name).isidentifier()]
        if wrong:
            raise ValueError(
                f"ensemble: {wrong} cannot be names of members, expected "
                "letters, digits and underscores (they name losses and files)."
            )
        # The name stands in front of what is one member's own.
        self.members = {f"{name}_": member for name, member in members.items()}
        self.weights = {f"{name}_": weights[name] for name in members}

    def prepare(self, datasets):
        """Embed the transcripts with every teacher.

        Arguments
        ---------
        datasets : dict
            ``train`` and ``valid`` sets; their items get ``<name>_tokens``,
            ``<name>_token_ids`` and ``<name>_token_count``.
        """
        for prefix, member in self.members.items():
            member.prepare(datasets, prefix)
