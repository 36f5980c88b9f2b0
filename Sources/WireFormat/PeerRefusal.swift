import LogModel

/// Why a node has nothing to do with a peer; sent to it as a request of its own.
package enum PeerRefusal: WireMessage {
    /// This start of the peer was seen, and what it says now does not follow it: its directory was put back.
    case repeatedStart(after: StartSighting)
    /// This node is of another generation.
    case otherGeneration(UInt32)

    package init(reading reader: inout WireReader) throws(WireError) {
        switch try reader.integer(UInt8.self) {
        case 1:
            let member = try reader.member()
            let starts: UInt64 = try reader.integer()
            self = .repeatedStart(
                after: StartSighting(member: member, starts: starts, life: Life(try reader.integer())))
        case 2: self = .otherGeneration(try reader.integer())
        default: throw .badValue(.refusal)
        }
    }

    package func encode(into bytes: inout [UInt8]) {
        switch self {
        case .repeatedStart(let seen):
            bytes.append(1)
            bytes.put(seen.member)
            bytes.put(seen.starts)
            bytes.put(seen.life.rawValue)
        case .otherGeneration(let generation):
            bytes.append(2)
            bytes.put(generation)
        }
    }
}
