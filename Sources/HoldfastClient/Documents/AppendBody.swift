import HTTPTypes
import LogModel

/// Records as the body of `POST /v1/records`, in the cheapest form that says them exactly.
package struct AppendBody: Hashable, Sendable {
    package var contentType: String
    package var bytes: [UInt8]

    package init(_ records: [Record]) {
        let arePlain = records.allSatisfy {
            $0.key.isEmpty && !$0.isTombstone && $0.timeToLiveMilliseconds == nil
        }
        if arePlain, records.count == 1, let record = records.first {
            self.contentType = "application/octet-stream"
            self.bytes = Array(record.value)
        } else if arePlain, records.allSatisfy({ !$0.value.isEmpty && !$0.value.contains(UInt8(ascii: "\n")) }) {
            self.contentType = "application/x-ndjson"
            self.bytes = []
            self.bytes.reserveCapacity(records.reduce(0) { $0 + $1.value.count + 1 })
            for record in records {
                self.bytes.append(contentsOf: record.value)
                self.bytes.append(UInt8(ascii: "\n"))
            }
        } else {
            self.contentType = "application/json"
            var writer = JSONWriter(reserving: records.reduce(2) { $0 + $1.value.count + 32 })
            writer.array { writer in
                for record in records { writer.record(record) }
            }
            self.bytes = writer.bytes
        }
    }
}
