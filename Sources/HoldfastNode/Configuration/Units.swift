/// Sizes and durations as people write them: a whole number and a unit.
package enum Units {
    /// `128MiB`, `64KiB`, `1GB`, `4096B`, `4096`.
    package static func byteCount(_ text: String) -> UInt64? {
        self.scaled(
            text,
            units: [
                "": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40, "kB": 1000, "KB": 1000,
                "MB": 1_000_000, "GB": 1_000_000_000,
            ])
    }

    /// `50ms`, `2s`, `1m`, `1h`. A bare number is refused: nobody agrees on its unit.
    package static func milliseconds(_ text: String) -> UInt64? {
        self.scaled(text, units: ["ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000])
    }

    /// `1k`, `5M`, `250`.
    package static func count(_ text: String) -> UInt64? {
        self.scaled(text, units: ["": 1, "k": 1000, "K": 1000, "M": 1_000_000])
    }

    private static func scaled(_ text: String, units: [String: UInt64]) -> UInt64? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        guard let number = UInt64(digits), let factor = units[String(unit)] else { return nil }
        let product = number.multipliedReportingOverflow(by: factor)
        return product.overflow ? nil : product.partialValue
    }

    /// `128MiB`, `4097`: exactly, as it can be read again.
    static func spelled(byteCount: UInt64) -> String {
        self.spelled(byteCount, [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)])
            ?? "\(byteCount)"
    }

    /// `50ms`, `2s`: exactly, as it can be read again.
    static func spelled(milliseconds: UInt64) -> String {
        self.spelled(milliseconds, [("h", 3_600_000), ("m", 60_000), ("s", 1000)]) ?? "\(milliseconds)ms"
    }

    /// In the largest unit that leaves no rest.
    private static func spelled(_ number: UInt64, _ units: [(name: String, factor: UInt64)]) -> String? {
        units.first { number >= $0.factor && number % $0.factor == 0 }.map { "\(number / $0.factor)\($0.name)" }
    }

    /// `1.5 MiB`: for people, three significant digits at most.
    package static func described(byteCount: UInt64) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        var value = Double(byteCount)
        var unit = 0
        while value >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        let tenths = (value * 10).rounded() / 10
        let text = unit == 0 || tenths >= 100 ? "\(Int(value.rounded()))" : "\(tenths)"
        return "\(text) \(units[unit])"
    }
}
