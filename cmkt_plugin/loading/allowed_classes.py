"""The classes that a model of a stranger may be built of.

Layers and networks whose constructors allocate parameters and nothing else:
none opens files, imports by name or looks an attribute up by a string that
comes from outside. To be on the list a class must keep to that, with any
arguments; and so must the steps of an ODE solver, which are functions.
"""


def _names(module, classes):
    return {f"{module}.{name}" for name in classes.split()}


ALLOWED = frozenset(
    _names("cmkt_plugin.enhancers", "SpectralMask WaveformMask WaveformMapping")
    | _names("cmkt_plugin.features", "LogMagnitude")
    | _names("cmkt_plugin.visual.predictive_enhancer", "PredictiveEnhancer")
    | _names("cmkt_plugin.visual.audio_visual_net", "AudioVisualNet")
    | _names("cmkt_plugin.visual.blstm", "BLSTM")
    | _names("cmkt_plugin.visual.lip_encoder", "LipEncoder")
    | _names("cmkt_plugin.visual.lip_augmentation", "RandomCrop")
    | _names("cmkt_plugin.visual.visual_dropout", "VisualDropout")
    | _names(
        "cmkt_plugin.visual.fusion",
        "Concatenation GatedAddition CrossAttention",
    )
    | _names("cmkt_plugin.diffusion.enhancer", "DiffusionEnhancer")
    | _names("cmkt_plugin.diffusion.compressed_stft", "CompressedSTFT")
    | _names("cmkt_plugin.diffusion.score_model", "ScoreModel")
    | _names("cmkt_plugin.diffusion.score_network", "ScoreUNet")
    | _names(
        "cmkt_plugin.diffusion.parameterizations",
        "NoisePrediction CleanPrediction PreconditionedPrediction",
    )
    | _names("cmkt_plugin.diffusion.sde", "OUVESDE")
    | _names(
        "cmkt_plugin.diffusion.samplers",
        "PredictorCorrector ProbabilityFlowODE",
    )
    | _names("cmkt_plugin.diffusion.predictors", "ReverseDiffusion DDIM")
    | _names("cmkt_plugin.diffusion.ode_solvers", "euler heun")
    | _names("cmkt_plugin.diffusion.correctors", "AnnealedLangevin NoCorrector")
    | _names("cmkt_plugin.diffusion.step_schedules", "UniformSteps PowerSteps")
    | _names("speechbrain.processing.features", "STFT ISTFT")
    # SBRNNBlock is left out: it looks its class up by a string.
    | _names(
        "speechbrain.lobes.models.dual_path",
        "Encoder Decoder Dual_Path_Model SBTransformerBlock DPTNetBlock "
        "PytorchTransformerBlock SBConformerEncoderBlock "
        "GlobalLayerNorm CumulativeLayerNorm",
    )
    | _names(
        "speechbrain.lobes.models.conv_tasnet",
        "Encoder Decoder MaskNet ChannelwiseLayerNorm GlobalLayerNorm",
    )
    | _names("speechbrain.lobes.models.EnhanceResnet", "EnhanceResnet")
    | _names(
        "speechbrain.lobes.models.transformer.TransformerSE",
        "CNNTransformerSE",
    )
    | _names("speechbrain.lobes.models.CRDNN", "CRDNN CNN_Block DNN_Block")
    | _names("speechbrain.nnet.activations", "Softmax Swish")
    | _names(
        "speechbrain.nnet.CNN",
        "Conv1d Conv2d ConvTranspose1d SincConv GaborConv1d "
        "DepthwiseSeparableConv1d DepthwiseSeparableConv2d",
    )
    | _names("speechbrain.nnet.RNN", "RNN LSTM GRU LiGRU SLiGRU QuasiRNN")
    | _names("speechbrain.nnet.linear", "Linear")
    | _names(
        "speechbrain.nnet.normalization",
        "BatchNorm1d BatchNorm2d LayerNorm InstanceNorm1d InstanceNorm2d "
        "GroupNorm",
    )
    | _names("speechbrain.nnet.dropout", "Dropout2d")
    | _names("speechbrain.nnet.pooling", "Pooling1d Pooling2d AdaptivePool")
    | _names(
        "speechbrain.nnet.attention",
        "MultiheadAttention PositionalwiseFeedForward RelPosMHAXL RoPEMHA",
    )
    | _names(
        "speechbrain.nnet.containers",
        "Sequential LengthsCapableSequential ModuleList",
    )
    # Activations
    | _names(
        "torch.nn",
        "CELU ELU GELU GLU Hardshrink Hardsigmoid Hardswish Hardtanh "
        "LeakyReLU LogSigmoid LogSoftmax Mish PReLU RReLU ReLU ReLU6 SELU "
        "SiLU Sigmoid Softmax Softmin Softplus Softshrink Softsign Tanh "
        "Tanhshrink Threshold",
    )
    # Layers with parameters
    | _names(
        "torch.nn",
        "Linear Bilinear Conv1d Conv2d Conv3d ConvTranspose1d "
        "ConvTranspose2d ConvTranspose3d RNN LSTM GRU MultiheadAttention "
        "TransformerEncoder TransformerEncoderLayer BatchNorm1d BatchNorm2d "
        "BatchNorm3d InstanceNorm1d InstanceNorm2d GroupNorm LayerNorm "
        "RMSNorm",
    )
    # Layers without, and containers
    | _names(
        "torch.nn",
        "AlphaDropout Dropout Dropout1d Dropout2d FeatureAlphaDropout "
        "AvgPool1d AvgPool2d MaxPool1d MaxPool2d AdaptiveAvgPool1d "
        "AdaptiveAvgPool2d AdaptiveMaxPool1d AdaptiveMaxPool2d "
        "ConstantPad1d ConstantPad2d ReflectionPad1d ReflectionPad2d "
        "ReplicationPad1d ReplicationPad2d ZeroPad1d ZeroPad2d ChannelShuffle "
        "PixelShuffle PixelUnshuffle Upsample Flatten Unflatten Fold Unfold "
        "Identity Sequential ModuleList ModuleDict",
    )
)
