import LogModel

/// The durable cursors by name.
package struct CursorTable: Hashable, Sendable {
    private var cursors: [CursorName: Cursor] = [:]

    package init() {}

    /// How to take back one change.
    struct Undo: Hashable, Sendable {
        var name: CursorName
        var before: Cursor?
    }

    package subscript(name: CursorName) -> Cursor? { self.cursors[name] }
    package var count: Int { self.cursors.count }

    package var byName: [(name: CursorName, cursor: Cursor)] {
        self.cursors.map { ($0.key, $0.value) }.sorted { $0.0 < $1.0 }
    }

    /// The first record that a cursor holds; `nil` when none holds any.
    package var heldIndex: LogIndex? {
        self.cursors.values.lazy.filter(\.holdsTrims).map(\.index).min()
    }

    /// Whether a cursor of this name finds room.
    package func hasRoom(for name: CursorName) -> Bool {
        self.cursors.count < LogStateLimits.cursorsMax || self.cursors[name] != nil
    }

    mutating func set(_ name: CursorName, to cursor: Cursor) throws(LogStateError) -> Undo {
        guard self.hasRoom(for: name) else { throw .tooManyCursors }
        return Undo(name: name, before: self.cursors.updateValue(cursor, forKey: name))
    }

    mutating func delete(_ name: CursorName) throws(LogStateError) -> Undo {
        guard let cursor = self.cursors.removeValue(forKey: name) else { throw .noSuchCursor(name) }
        return Undo(name: name, before: cursor)
    }

    mutating func undo(_ undo: Undo) { self.cursors[undo.name] = undo.before }
}

/// `u16 count |` the payload of a cursor frame for each, ascending by name.
extension CursorTable {
    func encode(into bytes: inout [UInt8]) {
        bytes.append(littleEndian: UInt16(self.count))
        for (name, cursor) in self.byName { StateChange.setCursor(name, cursor).encodePayload(into: &bytes) }
    }

    static func read(_ reader: inout StateReader) throws(LogStateError) -> CursorTable {
        let count = Int(try reader.integer(UInt16.self))
        guard count <= LogStateLimits.cursorsMax else { throw .notCanonical(.cursors) }
        var table = CursorTable()
        var last: CursorName?
        for _ in 0..<count {
            guard case .setCursor(let name, let cursor) = try StateChange.readCursor(&reader),
                last.map({ $0 < name }) ?? true
            else { throw .notCanonical(.cursors) }
            _ = try table.set(name, to: cursor)
            last = name
        }
        return table
    }
}
