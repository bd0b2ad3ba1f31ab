// Trains a network with two passes on arrays of numbers: discs of noise that are a little brighter than the rest.
import DualNorm
import Torch

let (side, count) = (32, 8)

/// Images [count, 1, side, side] and labels [count, side, side], 1 inside a disc.
func discs(seed: Int) -> (images: Tensor, labels: Tensor) {
  var state = UInt64(seed) &* 2_862_933_555_777_941_757 &+ 3_037_000_493
  func random() -> Float {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Float(state >> 40) / Float(1 << 24)
  }
  var (images, labels): ([Float], [Int]) = ([], [])
  for _ in 0..<count {
    let (x0, y0, radius) = (8 + 16 * random(), 8 + 16 * random(), 4 + 4 * random())
    for y in 0..<side {
      for x in 0..<side {
        let (dx, dy) = (Float(x) - x0, Float(y) - y0)
        let isInside = dx * dx + dy * dy < radius * radius
        labels.append(isInside ? 1 : 0)
        images.append(random() - 0.5 + (isInside ? 0.7 : 0))
      }
    }
  }
  return (Tensor(images, shape: [count, 1, side, side]), Tensor(labels, shape: [count, side, side]))
}

let plan = NetworkPlan(classes: 2, inputChannels: 1, width: 8, dual: ["inc", "down1"])
let network = try DualNormNetwork(plan, seed: 1)
let optimizer = Adam(network.parameters, learningRate: 1e-3)
for step in 1...60 {
  let batch = discs(seed: step)
  let losses = network.trainingStep(images: batch.images, labels: batch.labels, optimizer: optimizer)
  if step % 20 == 0 { print("step \(step):", losses.map { "\($0.pass) \($0.value)" }.joined(separator: ", ")) }
}

let test = discs(seed: 1000)
withoutGradients {
  network.forEachPass(over: test.images, .evaluation) { pass, logits in
    let found = logits.full.largestChannel().values(UInt8.self)
    let truth = test.labels.values(Int.self)
    let common = zip(found, truth).count { $0 == 1 && $1 == 1 }
    print("\(pass) pass: Dice \(2 * Double(common) / Double(found.count { $0 == 1 } + truth.count { $0 == 1 }))")
  }
}
