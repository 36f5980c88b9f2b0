import ArgumentParser

/// A node on the command line: `3`, or `n3` as tables name it.
enum NodeArgument {
    static func parse(_ text: String) throws -> UInt32 {
        guard let number = UInt32(text.hasPrefix("n") ? text.dropFirst() : text[...]), number > 0 else {
            throw ValidationError("a node is a number from 1, as in 3 or n3")
        }
        return number
    }
}
