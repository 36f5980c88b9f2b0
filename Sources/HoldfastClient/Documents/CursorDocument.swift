import LogModel

/// A durable cursor: the document of `/v1/cursors/{name}`.
public struct CursorDocument: Codable, Hashable, Sendable {
    public var name: String
    /// Of the record that the reader wants next.
    public var index: UInt64
    /// Nothing from `index` on is trimmed.
    public var hold: Bool

    package init(_ name: CursorName, _ cursor: Cursor) {
        self.name = name.text
        self.index = cursor.index.rawValue
        self.hold = cursor.holdsTrims
    }

    public var cursor: Cursor { Cursor(index: LogIndex(self.index), holdsTrims: self.hold) }

    /// `{"hold":false,"index":42,"name":"jobs"}`
    package var json: [UInt8] { JSONDocument.encode(self) }
}

/// The document of `GET /v1/cursors`, ascending by name.
package struct CursorList: Codable, Hashable, Sendable {
    package var cursors: [CursorDocument]

    package init(cursors: [CursorDocument]) {
        self.cursors = cursors
    }

    package var json: [UInt8] { JSONDocument.encode(self) }
}
