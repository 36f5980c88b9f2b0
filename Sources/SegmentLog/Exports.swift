// `Record`, `LogIndex`, `Position` and the other plain values that the library speaks in come with it.
@_exported import LogModel

// A log's directory is named by one.
@_exported import struct SystemPackage.FilePath
