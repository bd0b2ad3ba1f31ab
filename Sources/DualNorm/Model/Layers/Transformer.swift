import Torch

/// Pre-norm transformer layers over the positions of a map [N, C, …]; their linear maps are 1×1 convolutions.
struct Transformer {
  private let embedding: Convolution
  /// [1, C, 8, 8] or [1, C, 4, 4, 4], resized to the map.
  private let position: Tensor
  private let layers: [TransformerLayer]
  private let norm: ChannelNorm

  init(_ scope: Scope, _ plan: NetworkPlan) {
    let (channels, axes) = (plan.channels(plan.levels.depth), plan.levels.dimensions)
    // PyTorch lists a module's own parameters before those of its layers.
    let grid = Array(repeating: axes == 2 ? 8 : 4, count: axes)
    position = scope.parameter("position", Tensor(repeating: 0, shape: [1, channels] + grid))
    embedding = Convolution(scope / "embedding", channels, channels, kernel: Array(repeating: 1, count: axes))
    layers = (0..<plan.transformer.layers).map {
      TransformerLayer(scope / "layers" / "\($0)", channels, heads: plan.transformer.heads, axes: axes)
    }
    norm = ChannelNorm(scope / "norm", channels)
  }

  func callAsFunction(_ x: Tensor, _ context: ForwardContext) -> Tensor {
    let tokens = embedding(x, context) + position.resizedLinearly(like: x)
    return norm(layers.reduce(tokens) { $1($0, context) }).channelsLast()
  }
}

/// x + proj(attention(qkv(norm1(x)))), then x + fc2(GELU(fc1(norm2(x)))).
private struct TransformerLayer {
  private let heads: Int
  private let norm1, norm2: ChannelNorm
  private let qkv, proj, fc1, fc2: Convolution

  init(_ scope: Scope, _ channels: Int, heads: Int, axes: Int) {
    func linear(_ name: String, _ inputs: Int, _ outputs: Int) -> Convolution {
      Convolution(scope / name, inputs, outputs, kernel: Array(repeating: 1, count: axes))
    }
    self.heads = heads
    norm1 = ChannelNorm(scope / "norm1", channels)
    qkv = linear("qkv", channels, 3 * channels)
    proj = linear("proj", channels, channels)
    norm2 = ChannelNorm(scope / "norm2", channels)
    fc1 = linear("fc1", channels, 4 * channels)
    fc2 = linear("fc2", 4 * channels, channels)
  }

  func callAsFunction(_ x: Tensor, _ context: ForwardContext) -> Tensor {
    let attended = x + proj(attention(norm1(x), context), context)
    return attended + fc2(fc1(norm2(attended), context).gelu(), context)
  }

  /// softmax(q kᵀ / √d) v of each head, for x [N, C, …].
  private func attention(_ x: Tensor, _ context: ForwardContext) -> Tensor {
    let (n, channels) = (x.size(0), x.size(1))
    let d = channels / heads
    let parts = qkv(x, context).reshaped(n, 3, heads, d, x.count / (n * channels))  // [N, 3, heads, d, tokens]
    let (q, k, v) = (part(parts, 0), part(parts, 1), part(parts, 2))
    let weights = (q.permuted(0, 1, 3, 2).matrixProduct(k) / Double(d).squareRoot()).softmax(3)
    return v.matrixProduct(weights.permuted(0, 1, 3, 2)).reshaped(like: x).converted(to: x.type)
  }

  private func part(_ parts: Tensor, _ index: Int) -> Tensor {
    let part = parts.narrowed(1, to: index..<index + 1)
    return part.reshaped([part.size(0)] + part.shape.dropFirst(2))
  }
}

/// Layer norm over the channels of each position.
private struct ChannelNorm {
  private let norm: LayerNorm

  init(_ scope: Scope, _ channels: Int) { norm = LayerNorm(scope, shape: [channels]) }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let axes = Array(2..<x.rank)
    return norm(x.permuted([0] + axes + [1])).permuted([0, x.rank - 1] + axes.map { $0 - 1 })
  }
}
