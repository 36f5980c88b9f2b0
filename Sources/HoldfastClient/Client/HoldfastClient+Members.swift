import HTTP2Transport
import HTTPTypes

/// Who is a member of the cluster.
extension HoldfastClient {
    /// Adds a node that runs and waits for it: as a learner, which becomes a voter as soon as it is level.
    ///
    /// - Parameters:
    ///   - peer, client: Where other nodes, and clients, find it; `nil` for a node whose addresses are known.
    ///   - replaced: A voter that leaves when this one votes: another node, or this one as it was before its disk was lost.
    ///   - isPromoted: `false` keeps it a learner until ``promoteMember(_:)``.
    /// - Returns: The membership now; the rest follows by itself: look with ``status(of:)``.
    /// - Throws: ``ClientError/refused(_:)`` with `CHANGE_UNDER_WAY` while another change is; asking again is safe always.
    public func addMember(
        _ node: UInt32, peer: ServerAddress? = nil, client: ServerAddress? = nil, replacing replaced: UInt32? = nil,
        isPromoted: Bool = true
    ) async throws(ClientError) -> MembershipDocument {
        var path = "/admin/v1/members?node=\(node)"
        if let peer { path += "&peer=\(peer)" }
        if let client { path += "&client=\(client)" }
        if let replaced { path += "&replaces=\(replaced)" }
        if !isPromoted { path += "&promote=false" }
        return try await self.changeMembers(.post, path)
    }

    /// Lets a learner become a voter as soon as it is level.
    public func promoteMember(_ node: UInt32) async throws(ClientError) -> MembershipDocument {
        try await self.changeMembers(.post, "/admin/v1/members/\(node)/promote")
    }

    /// Takes a node out of the cluster; the leader hands over when it is itself the one.
    public func removeMember(_ node: UInt32) async throws(ClientError) -> MembershipDocument {
        try await self.changeMembers(.delete, "/admin/v1/members/\(node)")
    }

    private func changeMembers(
        _ method: HTTPRequest.Method, _ path: String
    ) async throws(ClientError) -> MembershipDocument {
        try await self.administer(method, path, as: MembershipDocument.self).answer
    }
}
