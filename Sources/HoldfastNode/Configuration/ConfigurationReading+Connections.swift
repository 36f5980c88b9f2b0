extension ConfigurationReading {
    /// Which part of all connections of a listener one address may have where nobody says it.
    private static let partOfOneAddress = 4

    /// How many connections a listener holds.
    ///
    /// - Returns: `nil` when something is wrong, which is noted.
    mutating func connections(
        _ all: ConfigurationKey, ofOneAddress one: ConfigurationKey
    ) -> (max: Int, perAddressMax: Int)? {
        let before = self.problems.count
        let max = self.count(all)
        let said = self.count(one)
        guard let max, self.problems.count == before else { return nil }
        let perAddress = said ?? Swift.max(1, max / Self.partOfOneAddress)
        self.derive(one, "\(perAddress)")
        guard perAddress <= max else {
            self.note(.connectionsOfOneAddress(one, perAddress, of: all, max: max, origin: self.origin(one)))
            return nil
        }
        return (max, perAddress)
    }
}
