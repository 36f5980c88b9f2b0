import LogModel

/// What is known to be damaged, and what becomes of it.
extension LogStore {
    /// The damaged ranges that are known, ascending; reads of them throw, all others go on.
    package var damage: [Damage] { self.quarantine.damage }

    /// Takes note of damage that was found; reads of that range are refused from now on.
    ///
    /// - Returns: Whether any of it was not known before.
    @discardableResult
    package func noteDamage(_ damage: Damage) -> Bool {
        guard self.quarantine.note(damage) else { return false }
        self.damageFound?(damage)
        return true
    }

    /// A range holds again what was once synced there.
    package func repaired(_ segment: SegmentID, _ range: Range<Int>) {
        self.descriptors.forget { $0 == segment }
        self.quarantine.repaired(range, of: segment)
    }

    /// Forgets damage in what a trim or a truncation removed.
    func forgetRemovedDamage() {
        let (first, tail) = self.withLayout { ($0.first.segment, $0.tail.position) }
        self.quarantine.forget(before: first, from: tail)
    }
}
