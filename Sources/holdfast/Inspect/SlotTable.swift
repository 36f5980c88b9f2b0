import HoldfastClient

/// The two slots of a VOTE or DURABLE file, for people and for programs. The newer one counts.
struct SlotTable<Content> {
    struct Slot {
        var content: Content
        var sequence: UInt64
    }

    /// `nil` for one that is not valid.
    let slots: [Slot?]
    let columns: [String]
    let cells: (Content) -> [String]
    /// What else is to be said about a slot.
    let remark: (Content) -> String?
    let members: (Content, inout JSONWriter) -> Void

    var newest: UInt64? { self.slots.compactMap { $0?.sequence }.max() }

    func show(_ output: OutputOptions) {
        output.show(["SLOT"] + self.columns + ["WRITE", "STATE"], self.rows, self.json)
    }

    private var rows: [[String]] {
        zip(["A", "B"], self.slots).map { name, slot in
            guard let slot else {
                return [name] + self.columns.map { _ in "-" } + ["-", "not valid, or never written"]
            }
            let state = [slot.sequence == self.newest ? "counts" : "older", self.remark(slot.content)]
            return [name] + self.cells(slot.content)
                + ["\(slot.sequence)", state.compactMap { $0 }.joined(separator: ", ")]
        }
    }

    private var json: [UInt8] {
        var writer = JSONWriter()
        writer.array { writer in
            for slot in self.slots {
                writer.object {
                    $0.member("valid", slot != nil)
                    guard let slot else { return }
                    self.members(slot.content, &$0)
                    $0.member("write", slot.sequence)
                }
            }
        }
        writer.endLine()
        return writer.bytes
    }
}

extension OutputOptions {
    func show(_ header: [String], _ rows: [[String]], _ json: [UInt8]) {
        switch self.output {
        case .table: self.console.out(Console.table(header, rows))
        case .json: self.console.out(bytes: json)
        }
    }
}
