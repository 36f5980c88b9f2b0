import HTTPTypes
import Hummingbird

/// The files of `Dashboard/`, which are part of the program: nothing has to be installed beside it.
enum DashboardFiles {
    private struct File {
        var path: RouterPath
        var type: String
        var bytes: [UInt8]
    }

    private static let files = [
        File(path: "", type: "text/html; charset=utf-8", bytes: PackageResources.index_html)
    ]

    static func add(to router: Router<AdminContext>) {
        for file in self.files {
            router.get(file.path) { _, _ in AdminAnswer.bytes(file.bytes, type: file.type) }
        }
    }
}
