/// Which run of the kernel this is: what was written and not synced is gone with it.
package struct BootIdentity: Hashable, Sendable {
    package var high: UInt64
    package var low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// - Parameter text: 32 hexadecimal digits, with hyphens between them, as the kernel writes it.
    package init?(_ text: some StringProtocol) {
        let digits = String(text.filter { $0 != "-" })
        guard digits.utf8.count == 32, let high = UInt64(digits.prefix(16), radix: 16),
            let low = UInt64(digits.suffix(16), radix: 16)
        else { return nil }
        self.init(high: high, low: low)
    }

    /// Stored where the kernel did not say; equal to no run, not even to itself.
    package static let unknown = BootIdentity(high: 0, low: 0)

    /// Whether what was written under `other` is still in the kernel's memory.
    package func isSure(toBe other: BootIdentity) -> Bool { self == other && self != .unknown }
}
