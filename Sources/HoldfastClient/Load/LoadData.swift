/// What the records of a load hold: the same in every run, and no two records alike.
package enum LoadData: String, CaseIterable, Sendable {
    /// Small letters, which deflate shortens by a third.
    case letters
    /// One JSON object a record, as services log them.
    case json
    /// Bytes that nothing shortens.
    case random

    /// - Parameter byteCount: Of each record; a JSON object that is longer is cut, a shorter one gets a longer message.
    package func records(_ count: Int, byteCount: Int) -> [[UInt8]] {
        var numbers = Numbers()
        return (0..<count).map { self.record($0, byteCount: byteCount, &numbers) }
    }

    private func record(_ index: Int, byteCount: Int, _ numbers: inout Numbers) -> [UInt8] {
        switch self {
        case .letters: (0..<byteCount).map { _ in UInt8(ascii: "a") + UInt8(numbers.next() % 26) }
        case .random: (0..<byteCount).map { _ in UInt8(truncatingIfNeeded: numbers.next()) }
        case .json: Self.object(index, byteCount: byteCount, &numbers)
        }
    }

    private static let words = [
        "order", "payment", "accepted", "queued", "retried", "cart", "session", "from", "for", "user",
    ]

    private static func object(_ index: Int, byteCount: Int, _ numbers: inout Numbers) -> [UInt8] {
        func pad(_ value: UInt64, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let seconds = pad(UInt64(index / 50 % 60), 2)
        var text =
            "{\"time\":\"2026-11-27T18:57:\(seconds).\(pad(numbers.next() % 1_000_000, 6))Z\",\"level\":\"info\",\"user\":\(numbers.next() % 100_000)"
            + ",\"status\":\(numbers.next() % 20 == 0 ? 404 : 200),\"ms\":\(numbers.next() % 250),\"message\":\""
        while text.utf8.count < byteCount - 2 {
            text += Self.words[Int(numbers.next() % UInt64(Self.words.count))] + " "
        }
        return Array(text.utf8.prefix(max(0, byteCount - 2))) + Array("\"}".utf8.prefix(byteCount))
    }

    /// How many things of a size are prepared, to be sent in turn: enough not to repeat within what is compressed at once.
    package static func differentCount(byteCount: Int) -> Int { max(1, min(4_096, (2 << 20) / max(1, byteCount))) }

    private struct Numbers {
        private var seed: UInt64 = 0x9E37_79B9_7F4A_7C15

        mutating func next() -> UInt64 {
            self.seed = self.seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return self.seed >> 33
        }
    }
}
