// The core reports the end of every operation as a tag on a completion queue. One thread drains
// each queue, so all events of a channel or a server come one after the other.

import CGRPC
import Platform

/// An object with operations under way in the core.
///
/// A tag is the address of a slot of its target. Every operation under way holds one reference to
/// the target; its completion gives the reference back. No operation allocates.
package class CompletionTarget: @unchecked Sendable {
    // safety: `slots` is written in init, before any operation, and only read afterwards.
    private let slots: UnsafeMutablePointer<Slot>

    /// What is under way; each at most once at a time in one target.
    enum Operation: Int, CaseIterable {
        case opening, receiving, closing, sending, ending, requesting, stopping
    }

    fileprivate struct Slot {
        let target: Unmanaged<CompletionTarget>
        let operation: Operation
    }

    init() {
        slots = .allocate(capacity: Operation.allCases.count)
        for operation in Operation.allCases {
            (slots + operation.rawValue)
                .initialize(to: Slot(target: .passUnretained(self), operation: operation))
        }
    }

    deinit { slots.deallocate() }

    /// Called on the queue's thread when the operation has ended.
    ///
    /// - Parameters:
    ///   - operation: what has ended.
    ///   - ok: the core's word on success; each operation has its own meaning for it.
    func completed(_ operation: Operation, ok: Bool) {
        preconditionFailure("a target without completions")
    }

    /// The tag of an operation that starts now.
    final func tag(_ operation: Operation) -> UnsafeMutableRawPointer {
        _ = Unmanaged.passRetained(self)
        return UnsafeMutableRawPointer(slots + operation.rawValue)
    }

    /// Takes back the tag of an operation that the core did not start.
    final func withdrawTag() { Unmanaged.passUnretained(self).release() }

    /// Starts a batch of operations of a call.
    final func start(
        _ operations: [grpc_op],
        on call: OpaquePointer,
        as operation: Operation
    ) -> grpc_call_error {
        let error = grpc_call_start_batch(call, operations, operations.count, tag(operation), nil)
        if error != GRPC_CALL_OK { withdrawTag() }
        return error
    }

    /// Starts one operation of a call, without an allocation. The core refuses only what this
    /// module must never ask.
    final func start(
        _ one: UnsafePointer<grpc_op>,
        on call: OpaquePointer,
        as operation: Operation
    ) {
        let error = grpc_call_start_batch(call, one, 1, tag(operation), nil)
        precondition(error == GRPC_CALL_OK, "\(operation): \(coreText(error))")
    }

    fileprivate static func deliver(_ tag: UnsafeMutableRawPointer, ok: Bool) {
        let slot = tag.assumingMemoryBound(to: Slot.self).pointee
        slot.target.takeRetainedValue().completed(slot.operation, ok: ok)
    }
}

/// One completion queue of the core and the thread that drains it.
final class CompletionQueue: @unchecked Sendable {
    // safety: all fields are written in init only; the core's queue takes calls from any thread.
    let raw: OpaquePointer
    private let thread: Thread
    private let isClosed = Monitor(false)
    private let library: GRPCLibrary
    /// Orders what a thread did before it started a target's first operation before what the
    /// queue's thread does with the target. The core's queue orders it too, but with atomics that
    /// a race detector cannot see; 40 ns an event keep the detector useful.
    private let handover = Monitor(0)

    init(name: String) throws(GRPCError) {
        library = GRPCLibrary()
        guard let made = grpc_completion_queue_create_for_next(nil) else {
            preconditionFailure("the core made no completion queue")
        }
        raw = made
        let address = Int(bitPattern: UnsafeRawPointer(made))
        do {
            thread = try Thread(name: name) { [handover] in drain(address, handover) }
        } catch {
            grpc_completion_queue_shutdown(made)
            drain(address, handover)
            grpc_completion_queue_destroy(made)
            throw .noThread(error)
        }
    }

    deinit {
        precondition(isClosed.withLock { $0 }, "a channel or server was dropped without close()")
        grpc_completion_queue_destroy(raw)
    }

    /// To be called before the first operation of a new target.
    func handOver() { handover.withLock { $0 &+= 1 } }

    /// Ends the queue and its thread. Nothing may start an operation on it any more; those under
    /// way are still delivered. Must not be called on the queue's own thread.
    func close() {
        let isFirst = isClosed.withLock { closed in
            defer { closed = true }
            return !closed
        }
        if isFirst { grpc_completion_queue_shutdown(raw) }
        thread.join()
    }
}

/// The core's words for why it refused a batch.
func coreText(_ error: grpc_call_error) -> String {
    String(cString: grpc_call_error_to_string(error))
}

// The whole life of a queue's thread. A file-level function, so that it belongs to no actor.
private func drain(_ address: Int, _ handover: Monitor<Int>) {
    guard let queue = OpaquePointer(bitPattern: address) else {
        preconditionFailure("a queue without an address")
    }
    let forever = gpr_inf_future(GPR_CLOCK_MONOTONIC)
    while true {
        let event = grpc_completion_queue_next(queue, forever, nil)
        if event.type == GRPC_QUEUE_SHUTDOWN { return }
        if event.type == GRPC_OP_COMPLETE, let tag = event.tag {
            handover.withLock { _ in }
            CompletionTarget.deliver(tag, ok: event.success != 0)
        }
    }
}
