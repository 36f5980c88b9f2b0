/// Lower-case, two digits a byte.
func hex(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

/// Golden bytes are written in groups; spaces and line ends say nothing.
func packed(_ golden: String) -> String {
    golden.filter { !$0.isWhitespace }
}
