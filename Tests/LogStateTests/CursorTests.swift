import LogModel
import LogState
import SegmentFormat
import Testing

struct CursorTests {
    private var state = LogState(founding: Membership())
    private var writer = LogWriter()
    private let jobs: CursorName
    private let mail: CursorName

    init() throws {
        self.jobs = try #require(CursorName("jobs"))
        self.mail = try #require(CursorName("mail.v2_a-B"))
    }

    private mutating func apply(_ change: StateChange) throws -> LogState.Undo {
        try self.state.apply(self.writer.place(change.draft))
    }

    @Test func `names are short and need no escapes`() {
        for text in ["", "a/b", "a b", "ä", "%41", String(repeating: "a", count: 65)] {
            #expect(CursorName(text) == nil, "\(text)")
        }
        #expect(CursorName(String(repeating: "a", count: 64)) != nil)
    }

    @Test mutating func `a cursor moves either way, and moves back when that is taken back`() throws {
        _ = try self.apply(.setCursor(self.jobs, Cursor(index: LogIndex(9))))
        let undo = try self.apply(.setCursor(self.jobs, Cursor(index: LogIndex(4))))
        #expect(self.state.cursors[self.jobs] == Cursor(index: LogIndex(4)))
        self.state.undo(undo)
        #expect(self.state.cursors[self.jobs] == Cursor(index: LogIndex(9)))
    }

    @Test mutating func `a deleted cursor is gone, and comes back when that is taken back`() throws {
        let cursor = Cursor(index: LogIndex(9), holdsTrims: true)
        _ = try self.apply(.setCursor(self.jobs, cursor))
        let undo = try self.apply(.deleteCursor(self.jobs))
        #expect(self.state.cursors.count == 0)
        let frame = self.writer.place(StateChange.deleteCursor(self.jobs).draft)
        #expect(throws: LogStateError.noSuchCursor(self.jobs)) { try self.state.apply(frame) }
        self.state.undo(undo)
        #expect(self.state.cursors[self.jobs] == cursor)
    }

    @Test mutating func `only cursors that hold keep what they point to`() throws {
        #expect(self.state.heldIndex == nil)
        _ = try self.apply(.setCursor(self.jobs, Cursor(index: LogIndex(3))))
        #expect(self.state.heldIndex == nil)
        _ = try self.apply(.setCursor(self.mail, Cursor(index: LogIndex(50), holdsTrims: true)))
        #expect(self.state.heldIndex == LogIndex(50))
        _ = try self.apply(.setCursor(self.jobs, Cursor(index: LogIndex(30), holdsTrims: true)))
        #expect(self.state.heldIndex == LogIndex(30))
        _ = try self.apply(.deleteCursor(self.jobs))
        #expect(self.state.heldIndex == LogIndex(50))
    }

    @Test mutating func `a full table refuses another cursor and still moves those it has`() throws {
        for number in 0..<LogStateLimits.cursorsMax {
            _ = try self.apply(.setCursor(try #require(CursorName("c\(number)")), Cursor(index: .first)))
        }
        #expect(!self.state.cursors.hasRoom(for: self.jobs))
        let frame = self.writer.place(StateChange.setCursor(self.jobs, Cursor(index: .first)).draft)
        #expect(throws: LogStateError.tooManyCursors) { try self.state.apply(frame) }
        let known = try #require(CursorName("c7"))
        _ = try self.apply(.setCursor(known, Cursor(index: LogIndex(2))))
        #expect(self.state.cursors[known]?.index == LogIndex(2))
    }

    @Test mutating func `the committed cursors are those without what may be taken back`() throws {
        var history = LogStateHistory(state: self.state, at: self.writer.chain.tail)
        try history.apply(self.writer.place(StateChange.setCursor(self.jobs, Cursor(index: LogIndex(3))).draft))
        let end = history.tail
        try history.apply(self.writer.place(StateChange.setCursor(self.jobs, Cursor(index: LogIndex(8))).draft))
        try history.apply(self.writer.place(StateChange.setCursor(self.mail, Cursor(index: LogIndex(1))).draft))
        #expect(history.committedCursors.count == 0)
        history.commit(through: end)
        #expect(history.committedCursors[self.jobs]?.index == LogIndex(3))
        #expect(history.committedCursors[self.mail] == nil)
        #expect(history.current.cursors[self.jobs]?.index == LogIndex(8))
    }
}
