// `Record`, `LogIndex`, `Cursor` and the other plain values that the client speaks in come with it.
@_exported import LogModel
