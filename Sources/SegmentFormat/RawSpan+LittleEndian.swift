extension RawSpan {
    /// A little-endian number; traps outside the span.
    package func load<Number: FixedWidthInteger & BitwiseCopyable>(_: Number.Type, at offset: Int) -> Number {
        Number(littleEndian: self.unsafeLoadUnaligned(fromByteOffset: offset, as: Number.self))
    }

    package func isZero(_ range: Range<Int>) -> Bool {
        for offset in range where self.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt8.self) != 0 {
            return false
        }
        return true
    }
}

extension MutableRawSpan {
    /// Stores a number little-endian; traps outside the span.
    package mutating func store<Number: FixedWidthInteger & BitwiseCopyable>(_ number: Number, at offset: Int) {
        self.storeBytes(of: number.littleEndian, toByteOffset: offset, as: Number.self)
    }
}

extension Array where Element == UInt8 {
    /// Appends a number little-endian.
    package mutating func append<Number: FixedWidthInteger & BitwiseCopyable>(littleEndian number: Number) {
        var rest = number.littleEndian
        Swift.withUnsafeBytes(of: &rest) { self.append(contentsOf: $0) }
    }
}
