extension Int {
    /// `1 record`, `5 records`.
    func counted(_ what: String) -> String { "\(self) \(what)\(self == 1 ? "" : "s")" }
}

extension Duration {
    var seconds: Double {
        let (seconds, attoseconds) = self.components
        return Double(seconds) + Double(attoseconds) / 1e18
    }

    var milliseconds: Double { self.seconds * 1000 }
}

extension Double {
    /// With so many digits after the point, without trailing noise.
    func rounded(_ digits: Int) -> String {
        let factor = (0..<digits).reduce(1.0) { value, _ in value * 10 }
        let whole = Int64((self * factor).rounded())
        guard digits > 0 else { return "\(whole)" }
        let fraction = String(abs(whole) % Int64(factor))
        let padding = String(repeating: "0", count: digits - fraction.count)
        return "\(whole < 0 ? "-" : "")\(abs(whole) / Int64(factor)).\(padding)\(fraction)"
    }
}
