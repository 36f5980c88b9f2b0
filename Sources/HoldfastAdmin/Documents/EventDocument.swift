/// Something that happened to a node.
package struct EventDocument: Codable, Hashable, Sendable {
    package var node: UInt32
    /// From 1 since the node's process started, without gaps.
    package var number: UInt64
    /// RFC 3339.
    package var time: String
    /// `role`, `rotation`, `damage`, ...: one word for programs.
    package var kind: String
    /// The same for people.
    package var text: String
    package var term: UInt64?
    package var leader: UInt32?
    /// `follower`, `candidate`, ...: with `role`.
    package var role: String?
    package var segment: UInt32?
    /// The other node that it is about.
    package var peer: UInt32?

    package init(node: UInt32, number: UInt64, time: String, kind: String, text: String) {
        self.node = node
        self.number = number
        self.time = time
        self.kind = kind
        self.text = text
    }
}

/// The answer of `GET /admin/v1/events`.
struct EventList: Codable, Hashable {
    var node: UInt32
    /// The number to ask after next time.
    var last: UInt64
    var events: [EventDocument]
}
