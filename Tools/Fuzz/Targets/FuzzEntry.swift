// What libFuzzer calls. Nothing calls it in an ordinary build.

import Glibc

/// The target that the environment variable TAPEDECK_FUZZ_TARGET names; with `--list` there all
/// are named instead, and the program ends.
private let chosen: FuzzTarget = {
    guard let text = getenv("TAPEDECK_FUZZ_TARGET") else {
        fatalError("TAPEDECK_FUZZ_TARGET is not set")
    }
    let name = String(cString: text)
    if name == "--list" {
        for target in FuzzTarget.all {
            print("target \(target.name)\nbytes \(target.name) \(target.bytesMax)")
        }
        // Without the exit handlers: libFuzzer takes an ordinary exit for a finding.
        fflush(nil)
        _exit(0)
    }
    guard let target = FuzzTarget.all.first(where: { $0.name == name }) else {
        fatalError("there is no fuzz target \(name)")
    }
    return target
}()

/// libFuzzer's entry (https://llvm.org/docs/LibFuzzer.html): takes one input.
///
/// - Returns: 0, the only value that libFuzzer knows.
@_cdecl("LLVMFuzzerTestOneInput")
package func takeFuzzInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    chosen.run(UnsafeRawBufferPointer(start: bytes, count: count))
    return 0
}
