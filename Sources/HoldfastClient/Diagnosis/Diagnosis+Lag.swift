extension Diagnosis {
    /// A follower that is so little behind follows as it should: what is on its way, and one sync.
    static let levelByteCount: UInt64 = 256 << 10

    /// Why a node is behind; or that it is not.
    ///
    /// - Parameters:
    ///   - before: The same cluster, seen `seconds` earlier: tells how fast it catches up.
    /// - Returns: Nothing for a node that is no member.
    package static func lag(
        of number: UInt32, _ sight: ClusterSight, before: ClusterSight, seconds: Double
    ) -> [Finding] {
        guard let node = sight.node(number) else { return [] }
        guard let leader = sight.leader else {
            return [.trouble(.noLeader, nil, "nobody leads, so there is nothing to be behind of")]
                + self.troubles(of: node, in: sight)
                + [.fact(.unknown, number, "why nobody leads: holdfast explain no-leader")]
        }
        guard leader.node != number else {
            return [.fact(.leader, number, "n\(number) leads: the others are measured by it")]
        }
        let troubles = self.troubles(of: node, in: sight)
        var findings = troubles
        if let progress = sight.progress(of: number) {
            if progress.isConnected == false, node.status != nil, troubles.isEmpty {
                findings.append(
                    .trouble(
                        .notConnected, number,
                        "the leader n\(leader.node) has no connection to n\(number) at \(progress.peer), though n\(number) "
                            + "answers here", next: "mend the network between them"))
            }
            if progress.shipping == .fetching {
                findings.append(
                    .trouble(
                        .fetching, number,
                        "what n\(number) needs is trimmed: it copies the first segment of n\(leader.node), and goes on from there"
                    ))
            }
            // A full disk syncs nothing, however fast it is.
            if node.status?.isDiskFull != true, let disk = self.slowDisk(of: node, progress) { findings.append(disk) }
        }
        guard let distance = self.distance(of: node, in: sight) else { return findings }
        findings.append(distance)
        guard distance.trouble, node.status != nil else { return findings }
        return findings + self.pace(of: number, sight, before: before, seconds: seconds)
    }

    /// How much a node lacks of the leader's log.
    static func distance(of node: ClusterSight.Node, in sight: ClusterSight) -> Finding? {
        guard let leader = sight.leader, let number = node.number, number != leader.node,
            let missing = sight.progress(of: number)?.missingBytes
        else { return nil }
        let behind = node.status.map { leader.lastIndex - min(leader.lastIndex, $0.lastIndex) }
        guard missing + (behind ?? 0) > 0 else {
            return .fact(.level, number, "\(node.name) is level with n\(leader.node)")
        }
        let records = behind.map { ", \($0) record\($0 == 1 ? "" : "s") shown later" } ?? ""
        guard missing > self.levelByteCount else {
            return .fact(
                .level, number,
                "\(node.name) is level with n\(leader.node): \(self.bytes(missing)) on their way\(records)")
        }
        return .trouble(
            .behind, number,
            "\(node.name) is not known to have the last \(self.bytes(missing)) of n\(leader.node)'s log\(records)")
    }

    /// What has arrived and is not synced.
    private static func slowDisk(of node: ClusterSight.Node, _ progress: ClusterStatus.Node) -> Finding? {
        guard let received = progress.received, let persisted = progress.persisted, received != persisted,
            let arrived = self.place(received), let synced = self.place(persisted),
            arrived.segment > synced.segment || arrived.offset > synced.offset + self.levelByteCount
        else { return nil }
        return .trouble(
            .slowDisk, node.number,
            "\(node.name) has received the log to \(received) and synced it to \(persisted): its disk is slower than "
                + "what arrives")
    }

    private static func pace(
        of number: UInt32, _ sight: ClusterSight, before: ClusterSight, seconds: Double
    ) -> [Finding] {
        guard let missing = sight.progress(of: number)?.missingBytes,
            let earlier = before.progress(of: number)?.missingBytes, seconds > 0
        else { return [] }
        guard earlier > missing else {
            return [
                .trouble(
                    .behind, number,
                    "n\(number) does not come nearer: in \(self.rounded(seconds)) s it went from \(self.bytes(earlier)) to "
                        + "\(self.bytes(missing)) behind")
            ]
        }
        let rate = Double(earlier - missing) / seconds
        return [
            .fact(
                .behind, number,
                "it comes nearer by \(self.bytes(UInt64(rate))) a second, with \(self.bytes(missing)) left: about "
                    + "\(self.rounded(Double(missing) / rate)) s more")
        ]
    }

    /// `segment:offset`
    private static func place(_ text: String) -> (segment: UInt64, offset: UInt64)? {
        let parts = text.split(separator: ":").compactMap { UInt64($0) }
        return parts.count == 2 ? (parts[0], parts[1]) : nil
    }

    private static func rounded(_ seconds: Double) -> String { "\((seconds * 10).rounded() / 10)" }

    /// Three digits at most.
    static func bytes(_ count: UInt64) -> String {
        switch count {
        case ..<(1 << 10): "\(count) B"
        case ..<(1 << 20): "\(count >> 10) KiB"
        case ..<(1 << 30): "\(count >> 20) MiB"
        default: "\(self.rounded(Double(count) / Double(1 << 30))) GiB"
        }
    }
}
