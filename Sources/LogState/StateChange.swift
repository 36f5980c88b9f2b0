import LogModel
import SegmentFormat

/// What a client may change of the log's own state: a control frame of its own.
///
/// Payloads, little-endian:
///
///     cursor: u8 0 deleted, 1 set, 2 set and holding | u8 length, name | [u64 index, unless deleted]
///     fence:  u64 token
package enum StateChange: Hashable, Sendable {
    case setCursor(CursorName, Cursor)
    case deleteCursor(CursorName)
    /// Appends that name a lower token are refused from here on.
    case raiseFence(to: UInt64)

    package var draft: FrameDraft {
        var payload: [UInt8] = []
        self.encodePayload(into: &payload)
        switch self {
        case .setCursor, .deleteCursor: return .control(.cursor, payload: payload)
        case .raiseFence: return .control(.fence, payload: payload)
        }
    }

    func encodePayload(into bytes: inout [UInt8]) {
        switch self {
        case .setCursor(let name, let cursor):
            bytes.append(cursor.holdsTrims ? 2 : 1)
            Self.encode(name, into: &bytes)
            bytes.append(littleEndian: cursor.index.rawValue)
        case .deleteCursor(let name):
            bytes.append(0)
            Self.encode(name, into: &bytes)
        case .raiseFence(let token): bytes.append(littleEndian: token)
        }
    }

    private static func encode(_ name: CursorName, into bytes: inout [UInt8]) {
        bytes.append(UInt8(name.text.utf8.count))
        bytes.append(contentsOf: name.text.utf8)
    }

    /// - Parameter kind: ``FrameKind/cursor`` or ``FrameKind/fence``.
    static func decode(_ payload: Bytes, of kind: FrameKind) throws(LogStateError) -> StateChange {
        var reader = StateReader(payload)
        let change: StateChange =
            kind == .fence ? .raiseFence(to: try reader.integer()) : try Self.readCursor(&reader)
        try reader.finish()
        return change
    }

    static func readCursor(_ reader: inout StateReader) throws(LogStateError) -> StateChange {
        let action: UInt8 = try reader.integer()
        guard let name = CursorName(try reader.text(byteCountMax: CursorName.byteCountMax)), action <= 2 else {
            throw .notCanonical(.cursors)
        }
        guard action > 0 else { return .deleteCursor(name) }
        let index = LogIndex(try reader.integer())
        guard index >= .first else { throw .notCanonical(.cursors) }
        return .setCursor(name, Cursor(index: index, holdsTrims: action == 2))
    }
}
