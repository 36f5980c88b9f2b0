// `Record`, `LogIndex`, `Position` and the other plain values that the library speaks in come with it.
@_exported import LogModel
