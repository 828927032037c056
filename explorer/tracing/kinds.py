"""What sort of work an ATen op is: its kind for colours and breakdowns, and what cannot multiply.

An op that is in none of these tables may multiply; without a formula it is listed as uncounted.
"""

from __future__ import annotations

NORMALISATION = frozenset(
    {
        "batch_norm", "native_batch_norm", "_native_batch_norm_legit", "cudnn_batch_norm",
        "_native_batch_norm_legit_no_training", "_batch_norm_with_update", "native_layer_norm",
        "layer_norm", "group_norm", "native_group_norm", "instance_norm", "rms_norm",
        "_fused_rms_norm", "local_response_norm", "norm", "linalg_vector_norm", "linalg_norm",
        "_weight_norm", "_weight_norm_interface", "var_mean", "var", "std", "std_mean", "normalize",
    }
)  # fmt: skip

ACTIVATION = frozenset(
    {
        "relu", "relu6", "leaky_relu", "prelu", "_prelu_kernel", "elu", "selu", "celu", "gelu",
        "silu", "mish", "sigmoid", "hardsigmoid", "hardswish", "hardtanh", "tanh", "softplus",
        "softsign", "threshold", "log_sigmoid", "softmax", "_softmax", "log_softmax",
        "_log_softmax", "glu", "rrelu", "hardshrink", "softshrink", "tanhshrink", "_safe_softmax",
    }
)  # fmt: skip

POOLING = frozenset(
    {
        "max_pool1d", "max_pool2d", "max_pool3d", "max_pool2d_with_indices", "avg_pool1d",
        "avg_pool2d", "avg_pool3d", "adaptive_avg_pool1d", "adaptive_avg_pool2d",
        "_adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d",
        "adaptive_max_pool2d", "adaptive_max_pool3d", "fractional_max_pool2d", "lp_pool2d",
        "max_pool1d_with_indices", "max_pool3d_with_indices", "mkldnn_max_pool2d",
    }
)  # fmt: skip

ELEMENTWISE = frozenset(
    {
        "add", "sub", "rsub", "mul", "div", "neg", "abs", "exp", "expm1", "log", "log2", "log10",
        "log1p", "sqrt", "rsqrt", "square", "pow", "float_power", "reciprocal", "clamp", "clip",
        "clamp_min", "clamp_max", "maximum", "minimum", "floor", "ceil", "round", "trunc", "sign",
        "sin", "cos", "tan", "atan", "atan2", "erf", "remainder", "fmod", "floor_divide",
        "lerp", "addcmul", "addcdiv", "where", "masked_fill", "dropout", "native_dropout",
        "feature_dropout", "alpha_dropout", "eq", "ne", "lt", "le", "gt", "ge", "logical_and",
        "logical_or", "logical_not", "logical_xor", "bitwise_and", "bitwise_or", "bitwise_not",
        "isnan", "isinf", "isfinite", "nan_to_num", "true_divide", "multiply", "subtract",
        "divide", "negative", "real", "imag", "angle", "polar", "complex", "bitwise_xor",
        "sum", "mean", "amax", "amin", "max", "min", "prod", "cumsum", "logsumexp", "any", "all",
        "argmax", "argmin", "count_nonzero", "bernoulli", "conj", "conj_physical", "heaviside",
        "_conj", "__and__", "__or__", "copysign", "softmax_backward_data", "frac", "exp2",
        "relu_backward", "logit", "sinc", "tril", "triu",
    }
)  # fmt: skip

LAYOUT = frozenset(
    {
        "view", "_unsafe_view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze",
        "permute", "transpose", "t", "numpy_T", "mT", "swapaxes", "movedim", "moveaxis", "expand",
        "expand_as", "view_as", "reshape_as", "contiguous", "clone", "cat", "concat", "stack",
        "split", "split_with_sizes", "chunk", "unbind", "unsafe_split", "unsafe_chunk",
        "tensor_split", "slice", "select", "narrow", "index", "index_select", "gather", "take",
        "index_put", "scatter", "scatter_add", "scatter_reduce", "index_add", "slice_scatter",
        "select_scatter", "masked_select", "roll", "flip", "rot90", "pad", "constant_pad_nd",
        "reflection_pad1d", "reflection_pad2d", "replication_pad2d", "repeat",
        "repeat_interleave", "tile", "unfold", "im2col", "col2im", "pixel_shuffle",
        "pixel_unshuffle", "channel_shuffle", "native_channel_shuffle", "as_strided", "diagonal",
        "diag_embed", "copy", "to", "_to_copy", "type_as", "alias", "detach", "view_as_real",
        "view_as_complex", "unsafe_split_with_sizes", "hstack", "vstack", "dstack", "column_stack",
        "broadcast_to", "swapdims", "squeeze_copy", "fill", "zero", "broadcast_tensors",
        "meshgrid", "sort", "topk", "argsort", "one_hot", "embedding", "searchsorted",
        "upsample_nearest2d", "resolve_conj", "resolve_neg", "lift", "diag", "reflection_pad3d",
        "replication_pad1d", "replication_pad3d", "narrow_copy", "split_copy", "select_copy",
        "nonzero", "ravel", "adjoint", "mH", "circular_pad", "unsqueeze_copy", "float", "half",
    }
)  # fmt: skip

INTERPOLATION = frozenset(
    {
        "upsample_bilinear2d", "_upsample_bilinear2d_aa", "upsample_bicubic2d",
        "_upsample_bicubic2d_aa", "upsample_linear1d", "upsample_nearest1d", "upsample_nearest3d",
        "upsample_trilinear3d", "_upsample_nearest_exact2d", "grid_sampler", "grid_sampler_2d",
    }
)  # fmt: skip

# Make a tensor out of nothing but sizes: what they are given carries no data into them.
GENERATORS = frozenset(
    {
        "zeros", "ones", "full", "empty", "arange", "linspace", "eye", "scalar_tensor", "tensor",
        "zeros_like", "ones_like", "full_like", "empty_like", "rand_like", "randn_like",
        "new_zeros", "new_ones", "new_full", "new_empty", "rand", "randn", "randint", "randperm",
        "tril_indices", "triu_indices", "hann_window", "empty_strided", "new_empty_strided",
        "logspace", "fft_fftfreq", "fft_rfftfreq",
    }
)  # fmt: skip

# Checks and bookkeeping of the tracer: no work and no data.
BOOKKEEPING = frozenset(
    {
        "_assert_async", "_assert_scalar", "_assert_tensor_metadata", "sym_constrain_range",
        "sym_constrain_range_for_size", "sym_size", "sym_stride", "sym_numel", "_check",
        "_exit_autocast", "_enter_autocast", "is_nonzero", "_set_grad_enabled", "item",
        "_local_scalar_dense",
    }
)  # fmt: skip

CONVOLUTION = frozenset(
    {
        "conv1d", "conv2d", "conv3d", "convolution", "_convolution", "conv_transpose1d",
        "conv_transpose2d", "conv_transpose3d", "cudnn_convolution", "mkldnn_convolution",
        "_slow_conv2d_forward", "convolution_overrideable", "thnn_conv2d", "slow_conv3d",
        "conv_depthwise3d", "_conv_depthwise2d", "torchvision::deform_conv2d",
    }
)  # fmt: skip

LINEAR = frozenset(
    {
        "linear", "addmm", "mm", "bmm", "baddbmm", "matmul", "einsum", "addbmm", "mv", "addmv",
        "dot", "vdot", "inner", "outer", "tensordot", "bilinear", "_trilinear", "chain_matmul",
        "linalg_multi_dot", "kron", "_scaled_mm", "__matmul__",
    }
)  # fmt: skip

RECURRENT = frozenset({"lstm", "gru", "rnn_tanh", "rnn_relu"})

ATTENTION = frozenset(
    {
        "scaled_dot_product_attention", "_scaled_dot_product_efficient_attention",
        "_scaled_dot_product_flash_attention", "_scaled_dot_product_flash_attention_for_cpu",
        "_scaled_dot_product_cudnn_attention", "_native_multi_head_attention",
        "_scaled_dot_product_attention_math", "_transformer_encoder_layer_fwd",
        "_scaled_dot_product_fused_attention_overrideable",
        "_scaled_dot_product_attention_math_for_mps",
    }
)  # fmt: skip

_TABLE: dict[str, str] = {
    **dict.fromkeys(NORMALISATION, "normalisation"),
    **dict.fromkeys(ACTIVATION, "activation"),
    **dict.fromkeys(POOLING, "pooling"),
    **dict.fromkeys(ELEMENTWISE, "elementwise"),
    **dict.fromkeys(LAYOUT, "layout"),
    **dict.fromkeys(INTERPOLATION, "other"),
    **dict.fromkeys(GENERATORS, "other"),
    **dict.fromkeys(CONVOLUTION, "convolution"),
    **dict.fromkeys(LINEAR | RECURRENT, "linear"),
    **dict.fromkeys(ATTENTION, "attention"),
}


def base_name(target: str) -> str:
    """The op without the mark of in-place: "relu_" → "relu"; "__and__" stays."""
    if target.endswith("_") and not target.endswith("__"):
        return target[:-1]
    return target


def kind_of(target: str) -> str:
    """The kind of an op, one of ``explorer.graph.KINDS``; "other" for what is not in the tables."""
    return _TABLE.get(base_name(target), "other")


def is_known(target: str) -> bool:
    """Whether the op is in a table; an unknown one may multiply."""
    return base_name(target) in _TABLE
