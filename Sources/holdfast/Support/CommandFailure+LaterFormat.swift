import HoldfastClient
import SegmentFormat

extension CommandFailure {
    /// A later release has written a segment: the exit code is that of a node that finds it.
    ///
    /// - Parameters:
    ///   - path: The segment's file.
    ///   - fate: What became of what the command was to change.
    static func laterFormat(
        _ path: String, version: UInt16, fate: String = "nothing was changed"
    ) -> CommandFailure {
        CommandFailure(
            .badConfiguration,
            "\(path) has format version \(version), which this release does not know (it knows "
                + "\(SegmentHeader.version)): it is not damaged, and \(fate)",
            next: "use the release that wrote it, or a later one; this one is \(Holdfast.configuration.version)")
    }
}

/// `later_format`: a segment that a later release has written.
struct LaterFormatDocument: Encodable {
    var file: String
    var version: UInt16
    /// The version that this release knows.
    var known = SegmentHeader.version

    init(_ file: String, version: UInt16) {
        self.file = file
        self.version = version
    }
}

/// What commands that change directories say to programs when a later release has written there.
struct LaterFormatRefusal: Encodable {
    var directory: String
    var laterFormat: LaterFormatDocument
    var applied = false

    private enum CodingKeys: String, CodingKey {
        case directory, applied
        case laterFormat = "later_format"
    }

    init(_ directory: String, _ file: String, version: UInt16) {
        self.directory = directory
        self.laterFormat = LaterFormatDocument(file, version: version)
    }

    /// Says it where JSON is asked for.
    ///
    /// - Returns: What ends the command.
    func failure(_ output: OutputOptions) -> CommandFailure {
        if output.output == .json { output.console.out(bytes: JSONDocument.encode(self)) }
        return .laterFormat("\(self.directory)/\(self.laterFormat.file)", version: self.laterFormat.version)
    }
}
