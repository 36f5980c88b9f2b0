import Certificates
import Foundation
import LogModel
import Synchronization

/// The certificates that new connections are made with; open ones live on with theirs.
///
///     files --reload--> checked --> the present ones
///                          '-----> refused by name: those from before hold on
package final class TLSStore: Sendable {
    package let files: TLSFiles
    /// Whom a node's certificate must name; `nil` for clients.
    private let node: NodeID?
    private let state: Mutex<State>

    private struct State {
        var material: TLSMaterial
        var contents: TLSFiles.Contents
        var stamp: [TLSFileStamp?]
        /// As the last look found them; taken when the next one finds the same.
        var seen: [TLSFileStamp?]
    }

    /// - Parameter node: For a node: its certificate must say that it is this one.
    /// - Throws: ``TLSError``.
    package init(_ files: TLSFiles, node: NodeID? = nil) throws(TLSError) {
        self.files = files
        self.node = node
        let stamp = files.stamp
        let contents = try files.read()
        let material = try TLSMaterial(contents, of: files)
        self.state = Mutex(State(material: material, contents: contents, stamp: stamp, seen: stamp))
        try self.check(material, before: nil)
    }

    package var material: TLSMaterial { self.state.withLock { $0.material } }

    /// What the own certificate names; `nil` for one that was not made for Holdfast, and for none.
    package var name: CertificateName? { self.material.facts?.name }

    /// Reads the files again.
    ///
    /// - Returns: Whether they say something else than before.
    /// - Throws: ``TLSError``; nothing has changed then.
    @discardableResult
    package func reload() throws(TLSError) -> Bool {
        let stamp = self.files.stamp
        self.state.withLock {
            $0.stamp = stamp
            $0.seen = stamp
        }
        let contents = try self.files.read()
        guard contents != self.state.withLock({ $0.contents }) else { return false }
        let material = try TLSMaterial(contents, of: self.files)
        try self.check(material, before: self.name)
        self.state.withLock {
            $0.contents = contents
            $0.material = material
        }
        return true
    }

    /// Whether other files stand there than were read, and stood there at the last look, too: a certificate and its key
    /// are seldom replaced at the same moment.
    package func look() -> Bool {
        let stamp = self.files.stamp
        return self.state.withLock { state in
            defer { state.seen = stamp }
            return stamp != state.stamp && stamp == state.seen
        }
    }

    private func check(_ material: TLSMaterial, before: CertificateName?) throws(TLSError) {
        guard let node, let path = self.files.certificate, let facts = material.facts else { return }
        guard case .node(let found, _) = facts.name else { throw .noNode(path, holder: facts.holder) }
        guard found == node else { throw .otherHolder(path, holder: facts.holder, before: "node \(node)") }
        if let before, before != facts.name {
            throw .otherHolder(path, holder: facts.holder, before: before.description)
        }
    }
}
