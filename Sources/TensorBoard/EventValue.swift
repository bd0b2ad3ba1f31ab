public import Foundation
import SwiftProtobuf

/// A value with a name, shown by TensorBoard. Name parts before a slash are groups.
public struct EventValue: Sendable {
  let message: Tensorboard_Summary.Value

  public static func scalar(_ name: String, _ value: Double) -> EventValue {
    EventValue(
      message: .with {
        $0.tag = name
        $0.simpleValue = Float(value)
      })
  }

  /// - Parameter png: a complete PNG file of RGB pixels.
  public static func picture(_ name: String, png: Data, width: Int, height: Int) -> EventValue {
    EventValue(
      message: .with {
        $0.tag = name
        $0.image = .with {
          $0.width = Int32(width)
          $0.height = Int32(height)
          $0.colorspace = 3
          $0.encodedImageString = png
        }
      })
  }

  /// A histogram with `buckets` equal parts of the values' range. NaN and infinite values are ignored.
  public static func histogram(_ name: String, _ values: [Float], buckets: Int = 30) -> EventValue {
    EventValue(
      message: .with {
        $0.tag = name
        $0.histo = Tensorboard_HistogramProto(of: values.filter(\.isFinite), buckets: buckets)
      })
  }
}

extension Tensorboard_HistogramProto {
  fileprivate init(of values: [Float], buckets count: Int) {
    self.init()
    guard let (low, high) = values.first.map({ values.reduce(($0, $0)) { (Swift.min($0.0, $1), Swift.max($0.1, $1)) } })
    else { return }
    (min, max, num) = (Double(low), Double(high), Double(values.count))
    let width = (max - min) / Double(count)
    guard width > 0 else {
      // For a single value, TensorBoard draws a bucket of zero width as one pixel.
      (bucketLimit, bucket) = ([max], [num])
      (sum, sumSquares) = (min * num, min * min * num)
      return
    }
    bucketLimit = (1...count).map { $0 == count ? max : min + width * Double($0) }
    bucket = [Double](repeating: 0, count: count)
    for value in values {
      let value = Double(value)
      bucket[Swift.min(count - 1, Int((value - min) / width))] += 1
      sum += value
      sumSquares += value * value
    }
  }
}
