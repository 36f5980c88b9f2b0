import LogModel
import Replicator

/// Reads one page, waiting for what its reader knows of and for its first record, when the query says so.
struct PageReader {
    var service: any LogService
    var query: RecordsQuery

    func page(byteCountMax: Int = NodeLimits.pageByteCountMax) async -> Result<LogPage, ReadFailure> {
        do throws(ReadFailure) {
            try await self.waitForMinIndex()
            let page = try await self.read(from: self.query.start, byteCountMax)
            guard page.records.isEmpty, self.query.waitMilliseconds > 0 else { return .success(page) }
            let isThere = await self.service.waitForCommit(
                of: page.next, timeoutMilliseconds: self.query.waitMilliseconds)
            // `tail` meant the tail of the first look.
            return .success(isThere ? try await self.read(from: .index(page.next), byteCountMax) : page)
        } catch {
            return .failure(error)
        }
    }

    /// Waits until this node has committed what the reader knows of.
    ///
    /// - Throws: ``ReadFailure/behind(next:)``; and what keeps this node from saying how far it is.
    func waitForMinIndex() async throws(ReadFailure) {
        guard let index = self.query.minIndex else { return }
        let timeout = self.query.wait ?? NodeLimits.minIndexWaitMilliseconds
        guard await !self.service.waitForCommit(of: index, timeoutMilliseconds: timeout) else { return }
        let known = try await self.service.page(from: .tail, limit: 1, byteCountMax: 1, consistency: .committed)
        if known.nextIndex <= index { throw .behind(next: known.nextIndex) }
    }

    private func read(from start: ReadStart, _ byteCountMax: Int) async throws(ReadFailure) -> LogPage {
        var page = try await self.service.page(
            from: start, limit: max(1, self.query.limit), byteCountMax: byteCountMax,
            consistency: self.query.consistency)
        // A reader may be ahead of what is committed here: there is nothing for it yet, and it is not sent back.
        if case .index(let index) = start { page.next = max(page.next, index) }
        return page
    }

    /// The page that begins with `index`. A record that is here needs no leader, for it never changes;
    /// only one that is missing is asked for with certainty.
    static func record(_ index: LogIndex, of service: any LogService) async -> Result<LogPage, ReadFailure> {
        do throws(ReadFailure) {
            let known: LogPage?
            do throws(ReadFailure) {
                known = try await service.page(
                    from: .index(index), limit: 1, byteCountMax: NodeLimits.pageByteCountMax, consistency: .committed)
            } catch {
                guard case .incomplete = error else { throw error }
                known = nil
            }
            if let known, !known.records.isEmpty { return .success(known) }
            return .success(
                try await service.page(
                    from: .index(index), limit: 1, byteCountMax: NodeLimits.pageByteCountMax,
                    consistency: .linearizable))
        } catch {
            return .failure(error)
        }
    }
}
