/// One state of a small world: nodes, messages and past by the numbers under which the explorer keeps them, so that a
/// state is small and two are quickly compared.
struct SmallState: Hashable {
    var nodes: [Int32]
    /// On their way, ascending.
    var messages: [Int32] = []
    var past: Int32
    /// Of each node, still to come.
    var crashes: [UInt8]
    var timeouts: UInt8 = 0
    var appends: UInt8 = 0
    var duplicates: UInt8 = 0
    var pulses: UInt8 = 0
}

/// One step from a state to another. Nodes and messages go by their numbers.
enum SmallAction: Hashable {
    case timeOut(node: Int)
    case pulse(node: Int)
    case append(node: Int)
    case storeVote(node: Int)
    case sync(node: Int)
    case crash(node: Int, way: Int)
    case deliver(Int32, isKept: Bool)
    case ship(from: Int, to: Int)
}
