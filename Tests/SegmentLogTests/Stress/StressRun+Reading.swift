import LogModel
import SegmentLog

extension StressRun {
    /// Follows the log from `start` until it is closed; starts again where the log begins when a trim overtook it.
    ///
    /// - Returns: What it saw, a piece for each start.
    func tail(from start: ReadStart) async throws -> [StressSight] {
        var pieces: [StressSight] = []
        var start = start
        while true {
            var sight = StressSight()
            do {
                for try await record in try self.log.read(from: start, following: true) { try sight.see(record) }
                return pieces + [sight]
            } catch LogError.trimmed {
                pieces.append(sight)
                start = .first
            }
        }
    }

    /// Reads from places drawn at random, over and over, each time to the end.
    func readAround() async throws -> [StressSight] {
        var sights: [StressSight] = []
        while !self.isOver.isRaised {
            do {
                switch Int.random(in: 0..<4) {
                case 0: sights.append(try await StressSight.read(self.log, from: .first))
                case 1: sights.append(try await self.readFromPosition())
                case 2: sights.append(try await self.readFromIndex())
                default: if let last = sights.last { sights.append(try await self.readFromTimestamp(in: last)) }
                }
            } catch LogError.trimmed {
                // A trim was faster.
            }
            // Bounded memory, and a last one to choose a time from.
            if sights.count > 16 { sights.removeFirst() }
            await Task.yield()
        }
        return sights
    }

    private func readFromPosition() async throws -> StressSight {
        guard let told = self.ledger.random() else { return StressSight() }
        let sight = try await StressSight.read(self.log, from: .position(told.position))
        guard sight.first == told.first else {
            throw Wrong(
                "reading from \(told.position) begins with \(String(describing: sight.first)), not \(told.first)")
        }
        return sight
    }

    private func readFromIndex() async throws -> StressSight {
        guard let told = self.ledger.random() else { return StressSight() }
        let index = LogIndex(UInt64.random(in: told.first.rawValue...told.last.rawValue))
        let sight = try await StressSight.read(self.log, from: .index(index))
        guard sight.first == index else {
            throw Wrong("reading from index \(index) begins with \(String(describing: sight.first))")
        }
        return sight
    }

    /// - Parameter known: Was seen before; not its first record, which may stand within a frame.
    private func readFromTimestamp(in known: StressSight) async throws -> StressSight {
        guard let first = known.first, let timestamp = known.timestamps.randomElement() else { return StressSight() }
        let sight = try await StressSight.read(self.log, from: .timestamp(timestamp))
        let offset = known.timestamps.firstIndex { $0 >= timestamp } ?? 0
        let expected = first.advanced(by: UInt64(offset))
        guard sight.timestamps.allSatisfy({ $0 >= timestamp }) else {
            throw Wrong("reading from time \(timestamp) gives older records")
        }
        // What came before may have been trimmed meanwhile.
        guard offset == 0 || sight.first == expected || self.log.firstIndex > expected else {
            throw Wrong(
                "reading from time \(timestamp) begins with \(String(describing: sight.first)), not \(expected)")
        }
        return sight
    }

    /// Removes what lies some way behind the newest append, over and over.
    func trim() async throws {
        var last = Position.zero
        while !self.isOver.isRaised {
            if let told = self.ledger.random(), told.position > last {
                do {
                    try await self.log.trim(before: told.position)
                } catch LogError.closed {
                    return
                }
                last = told.position
                guard self.log.first <= last else { throw Wrong("a trim before \(last) went to \(self.log.first)") }
            }
            await Task.yield()
        }
    }
}
