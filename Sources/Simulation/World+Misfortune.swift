import DiskIO
import LogModel
import ReplicaCore
import SystemPackage

/// What goes wrong, and how it is mended.
extension World {
    func misfortune() throws(Violation) {
        guard !self.isHealing else { return }
        self.schedule(.misfortune, after: self.microseconds(10_000..<400_000))
        let number = Int(self.random.next(in: 0..<UInt64(self.nodes.count)))
        let step = self.nodes.count > 1 ? 1 + Int(self.random.next(in: 0..<UInt64(self.nodes.count - 1))) : 0
        let other = (number + step) % self.nodes.count
        let node = self.nodes[number]
        let faults = self.configuration.faults
        switch self.random.next(in: 0..<10) {
        case 0, 1: if faults.contains(.kills), node.isRunning { self.crash(node, losesPower: false) }
        case 2, 3: if node.isRunning, self.mayLosePower(node) { self.crash(node, losesPower: true) }
        case 4: if node.isRunning, self.mayLosePower(node) { self.crashSoon(node) }
        case 5: if faults.contains(.partitions) { self.isolate(number) }
        case 6: if faults.contains(.partitions), other != number { self.cut(number, other) }
        case 7: if faults.contains(.resets), other != number { self.reset(from: number, to: other) }
        case 8: if faults.contains(.slowness) { self.slow(node) }
        default:
            if faults.contains(.kills), self.chance(1, of: 3) {
                for node in self.nodes where node.isRunning {
                    self.crash(node, losesPower: self.mayLosePower(node))
                }
            } else if faults.contains(.slowness) {
                node.clockSkew = self.random.next(in: 0..<10_000_000_000)
            }
        }
    }

    /// Where nodes lose power one by one, the last one must be level again, and every voter must have its disk.
    func mayLosePower(_ node: SimulatedNode) -> Bool {
        guard self.configuration.faults.contains(.powerCuts) else { return false }
        guard self.configuration.losesPowerOneByOne else { return true }
        guard self.powerless?.node == node.number || self.isPowerRestored, self.isMembershipSettled,
            self.damaged == nil || self.damaged == node.number
        else { return false }
        // A node that is down is to lose it while it starts.
        self.powerless = (node.number, node.isRunning ? node.life : node.life + 1)
        return true
    }

    /// Where nodes lose power one by one: the last one that did is level again. Else a disk that is lost now, or damaged,
    /// may leave no majority, and only an operator can help.
    var isPowerRestored: Bool {
        guard let last = self.powerless else { return true }
        let node = self.nodes[last.node]
        return node.isRunning && node.life > last.life && node.mayVote
    }

    /// A new leader may die before it has done anything of use.
    func tempt(_ node: SimulatedNode) {
        guard self.isChurning, !self.isHealing else { return }
        switch self.random.next(in: 0..<5) {
        case 0, 1:
            self.schedule(.fall(node: node.number, life: node.life), after: self.microseconds(500..<12_000))
        case 2, 3:
            // Nobody hears it, clients excepted: what it appends stays with it.
            let pause = self.microseconds(20_000..<120_000)
            for other in self.nodes where other.number != node.number {
                self.network.cut(node.number, other.number)
                self.schedule(.heal(from: node.number, to: other.number), after: pause)
            }
            self.schedule(.fall(node: node.number, life: node.life), after: pause)
        default: break
        }
    }

    /// Or right after its first commit.
    func temptAtCommit(_ node: SimulatedNode) {
        guard self.isChurning, !self.isHealing, node.role == .leader, node.commitsOfTerm < 2, self.chance(1, of: 2)
        else { return }
        self.schedule(.fall(node: node.number, life: node.life), after: self.microseconds(1..<200))
    }

    func fall(_ number: Int, _ life: Int) {
        guard !self.isHealing, let node = self.alive(number, life) else { return }
        self.crash(node, losesPower: false)
    }

    func crash(_ node: SimulatedNode, losesPower: Bool) {
        node.stop()
        // What was synced in the last second before a power cut DURABLE may not know yet: damage there looks like a tail that
        // was never synced. A damaged node loses its power only when nothing is lost with it.
        if losesPower {
            node.disk.cutPower(self.damaged == node.number ? .losesNothing : .losesSome)
        } else {
            node.disk.killProcess()
        }
        node.hasLostPower = losesPower && self.damaged != node.number
        self.report.crashes += 1
        for other in self.nodes where other.number != node.number {
            self.network.disconnect(node.number, other.number)
            self.lose(node, at: other)
        }
        let pause = self.isHealing || self.isChurning ? 1_000..<40_000 : UInt64(5_000)..<800_000
        self.schedule(.restart(node: node.number), after: self.microseconds(pause))
    }

    /// Another node sees its connection reset; a new one is refused while the node is down.
    private func lose(_ node: SimulatedNode, at other: SimulatedNode) {
        guard self.network.isConnected(other.number, node.number) else { return }
        self.network.disconnect(other.number, node.number)
        guard other.isRunning, self.network.reaches(node.number, other.number) else { return }
        let pause = self.microseconds(20..<400)
        self.tell(other, .disconnected(from: node.member.node), of: node.number, after: pause)
        self.tell(
            other, .died(node.member.node), of: node.number, after: pause + self.microseconds(10..<200))
    }

    /// Power goes in the middle of one of the next disk operations.
    func crashSoon(_ node: SimulatedNode, within operationCount: UInt64 = 11) {
        let number = node.disk.counts.operations + Int(self.random.next(in: 1..<operationCount + 1))
        node.disk.inject(.stop, atOperation: number)
    }

    /// One node against the others; or, where members come and go, any against the rest: old against new among them.
    private func isolate(_ number: Int) {
        let pause = self.microseconds(100_000..<2_500_000)
        var side: Set<Int> = [number]
        if self.configuration.faults.contains(.membership) {
            for other in self.nodes where self.chance(1, of: 3) { side.insert(other.number) }
        }
        self.separate(side, for: pause)
    }

    private func separate(_ side: Set<Int>, for pause: UInt64) {
        for from in self.nodes {
            for to in self.nodes where side.contains(from.number) != side.contains(to.number) {
                self.network.cut(from.number, to.number)
                self.schedule(.heal(from: from.number, to: to.number), after: pause)
            }
        }
    }

    /// Voters change: the leader stays with the new ones, the old ones are left to themselves.
    func temptAtChange(_ leader: SimulatedNode, _ membership: Membership) {
        guard membership.isJoint, leader.role == .leader, !self.isHealing,
            self.configuration.faults.contains(.partitions), self.chance(1, of: 3)
        else { return }
        let promoted = membership.voters.filter { !membership.outgoing.contains($0) }
        let side = Set([leader.number] + promoted.map { self.node($0.node).number })
        self.separate(side, for: self.microseconds(300_000..<2_500_000))
    }

    private func cut(_ from: Int, _ to: Int) {
        let pause = self.microseconds(100_000..<2_500_000)
        self.network.cut(from, to)
        self.schedule(.heal(from: from, to: to), after: pause)
        guard self.chance(1, of: 2) else { return }
        self.network.cut(to, from)
        self.schedule(.heal(from: to, to: from), after: pause)
    }

    func heal(from: Int, to: Int) {
        guard !self.network.reaches(from, to) else { return }
        self.network.heal(from, to)
        // What was silently lost meanwhile shows as a reset now.
        self.reset(from: from, to: to)
        self.reset(from: to, to: from)
    }

    /// All of a node, its disk included; ``slowDisk(of:)`` leaves the rest alone.
    private func slow(_ node: SimulatedNode) {
        node.isSlow = true
        self.schedule(.hurry(node: node.number), after: self.microseconds(100_000..<1_500_000))
    }

    /// Ends all faults; what is down comes back.
    func healEverything() {
        self.isHealing = true
        for number in self.clients.indices { self.clients[number].goal = self.clients[number].sequence + 2 }
        for number in self.writers.indices { self.writers[number].goal = self.writers[number].doneCount + 4 }
        for from in 0..<self.nodes.count {
            self.nodes[from].isSlow = false
            self.nodes[from].isDiskSlow = false
            self.makeRoom(self.nodes[from])
            for to in 0..<self.nodes.count where to != from { self.heal(from: from, to: to) }
        }
    }
}
