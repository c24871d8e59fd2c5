internal import CLinux
internal import Glibc
package import Platform

/// Something with a socket or a timer on a loop. All its methods run on the loop's thread.
protocol EventSource: AnyObject {
    /// When `deadlinePassed` is due, in nanoseconds of the monotonic clock; `UInt64.max` is never.
    var deadline: UInt64 { get }
    /// The socket is ready; bits of EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP.
    func ready(_ events: UInt32)
    /// The deadline has passed.
    func deadlinePassed()
    /// The loop ends: close everything and report it.
    func loopStopped()
}

/// One thread with epoll that serves any number of WebSocket clients and servers.
///
/// Every event of a connection is called on this thread, one at a time: an event that blocks
/// holds up all connections of the loop. The owner must call `stop`; until then the thread runs.
package final class EventLoop: @unchecked Sendable {
    // safety: `poll` and `wakeUp` are set once in init. `shared` is a Monitor. Everything under
    // "loop only" is touched by the loop's thread alone; `start` of the thread orders init before
    // it and `join` orders it before deinit.
    private let poll: Int32
    private let wakeUp: Int32
    let clock: any Clock
    private let shared: Monitor<Shared>

    private struct Shared {
        var thread: Thread?
        var identity: pthread_t?
        var tasks: [@Sendable () -> Void] = []
        var dirty: [WebSocketConnection] = []
        var isSleeping = false
        var isStopping = false
        var hasEnded = false
    }

    // Loop only.
    private var sources: [UInt64: any EventSource] = [:]
    private var nextToken: UInt64 = 1
    /// Threads that look up names; each is joined once it has answered, at the latest by `end`.
    private var lookups: [ObjectIdentifier: Thread] = [:]
    private var nextDeadline = UInt64.max
    private var tasks: [@Sendable () -> Void] = []
    private var dirty: [WebSocketConnection] = []
    /// Time of the current turn, in nanoseconds of the monotonic clock.
    private(set) var now: UInt64

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - name: of the thread; the kernel keeps 15 bytes.
    ///   - clock: for timeouts.
    /// - Throws: the error of `epoll_create1`, `eventfd` or `pthread_create`.
    package init(
        name: String = "websocket",
        clock: any Clock = SystemClock()
    ) throws(SystemError) {
        self.clock = clock
        now = clock.monotonicNanoseconds()
        shared = Monitor(Shared())
        poll = epoll_create1(Int32(EPOLL_CLOEXEC))
        wakeUp = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
        if poll < 0 || wakeUp < 0 { throw lastError("epoll_create1 or eventfd") }
        var event = epoll_event()
        event.events = EPOLLIN.rawValue
        if epoll_ctl(poll, EPOLL_CTL_ADD, wakeUp, &event) != 0 { throw lastError("epoll_ctl") }
        let thread = try Thread(name: name) { [self] in run() }
        shared.withLock { $0.thread = thread }
    }

    deinit {
        if poll >= 0 { close(poll) }
        if wakeUp >= 0 { close(wakeUp) }
    }

    /// Ends every connection and listener of the loop at once, each with its last event, and waits
    /// for the thread. Not to be called from an event. A second call returns at once.
    package func stop() {
        precondition(!isOnLoop, "a loop cannot wait for itself")
        let thread = shared.withLock { state in
            state.isStopping = true
            return state.thread
        }
        eventfd_write(wakeUp, 1)
        thread?.join()
    }

    /// Whether the caller runs on the loop's thread.
    var isOnLoop: Bool {
        shared.withLock { state in
            // Before the thread runs, nobody is on it.
            state.identity.map { pthread_equal($0, pthread_self()) != 0 } ?? false
        }
    }

    // MARK: From any thread

    /// Runs a task on the loop.
    ///
    /// - Returns: false when the loop has stopped; the task is dropped.
    @discardableResult
    func submit(_ task: @escaping @Sendable () -> Void) -> Bool {
        let (isTaken, mustWake) = shared.withLock { state in
            if state.hasEnded { return (false, false) }
            state.tasks.append(task)
            defer { state.isSleeping = false }
            return (true, state.isSleeping)
        }
        if mustWake { eventfd_write(wakeUp, 1) }
        return isTaken
    }

    /// Has the loop look at a connection's requests.
    func service(_ connection: WebSocketConnection) {
        let mustWake = shared.withLock { state in
            if state.hasEnded { return false }
            state.dirty.append(connection)
            defer { state.isSleeping = false }
            return state.isSleeping
        }
        if mustWake { eventfd_write(wakeUp, 1) }
    }

    // MARK: On the loop

    /// Makes a source known; it gets its deadlines and the loop's end from now on.
    func add(_ source: any EventSource) -> UInt64 {
        let token = nextToken
        nextToken += 1
        sources[token] = source
        deadlineChanged(source.deadline)
        return token
    }

    /// Forgets a source. Its socket must be closed or unwatched.
    func remove(_ token: UInt64) { sources[token] = nil }

    /// Keeps a thread that looks up a name, to be joined.
    func keep(_ lookup: Thread) { lookups[ObjectIdentifier(lookup)] = lookup }

    /// Joins a thread that has answered.
    func join(_ lookup: Thread) {
        lookup.join()
        lookups[ObjectIdentifier(lookup)] = nil
    }

    /// Notes that a source is due earlier than before.
    func deadlineChanged(_ deadline: UInt64) { nextDeadline = min(nextDeadline, deadline) }

    /// Starts watching a socket; level-triggered.
    func watch(_ descriptor: Int32, _ token: UInt64, _ events: UInt32) {
        control(EPOLL_CTL_ADD, descriptor, token, events)
    }

    /// Changes what a socket is watched for.
    func rewatch(_ descriptor: Int32, _ token: UInt64, _ events: UInt32) {
        control(EPOLL_CTL_MOD, descriptor, token, events)
    }

    /// Stops watching a socket.
    func unwatch(_ descriptor: Int32) { control(EPOLL_CTL_DEL, descriptor, 0, 0) }

    private func control(_ call: Int32, _ descriptor: Int32, _ token: UInt64, _ events: UInt32) {
        var event = epoll_event()
        event.events = events
        event.data.u64 = token
        let code = epoll_ctl(poll, call, descriptor, &event)
        // ENOMEM and ENOSPC are the machine's; anything else is a bug of ours. Either way a socket
        // that nobody watches would hang for ever.
        precondition(code == 0, "epoll_ctl \(call) failed with errno \(errno)")
    }

    private func run() {
        blockBrokenPipe()
        shared.withLock { $0.identity = pthread_self() }
        var events = [epoll_event](repeating: epoll_event(), count: 256)
        while true {
            if takeWork() { break }
            for task in tasks { task() }
            tasks.removeAll(keepingCapacity: true)
            for connection in dirty { connection.service() }
            dirty.removeAll(keepingCapacity: true)
            if nextDeadline <= now { runDeadlines() }
            let count = epoll_wait(poll, &events, Int32(events.count), timeout())
            now = clock.monotonicNanoseconds()
            for index in 0..<max(0, Int(count)) {
                let token = events[index].data.u64
                if token == 0 {
                    var value: eventfd_t = 0
                    eventfd_read(wakeUp, &value)
                } else {
                    // A source removed earlier in this turn is not found, which is right.
                    sources[token]?.ready(events[index].events)
                }
            }
        }
        end()
    }

    /// TLS writes through plain write(2); a broken pipe must be an error, not a signal.
    private func blockBrokenPipe() {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Takes over what others have left; true when the loop must end.
    private func takeWork() -> Bool {
        shared.withLock { state in
            state.isSleeping = false
            swap(&tasks, &state.tasks)
            swap(&dirty, &state.dirty)
            return state.isStopping
        }
    }

    /// Milliseconds for epoll_wait; notes that others must wake the loop.
    private func timeout() -> Int32 {
        let hasWork = shared.withLock { state in
            let hasWork = !state.tasks.isEmpty || !state.dirty.isEmpty || state.isStopping
            state.isSleeping = !hasWork
            return hasWork
        }
        if hasWork { return 0 }
        if nextDeadline == .max { return -1 }
        let present = clock.monotonicNanoseconds()
        if nextDeadline <= present { return 0 }
        return Int32(clamping: (nextDeadline - present) / 1_000_000 + 1)
    }

    private func runDeadlines() {
        nextDeadline = .max
        for (token, source) in sources where source.deadline <= now {
            // One that an earlier one has removed is passed over.
            if sources[token] != nil { source.deadlinePassed() }
        }
        for source in sources.values { deadlineChanged(source.deadline) }
    }

    private func end() {
        // A task left behind may be a connection that has not begun; it must end too.
        for task in tasks { task() }
        tasks.removeAll()
        while !sources.isEmpty {
            for (token, source) in sources {
                if sources[token] != nil { source.loopStopped() }
            }
            let late = shared.withLock { state in
                defer { state.tasks.removeAll() }
                return state.tasks
            }
            for task in late { task() }
        }
        let last = shared.withLock { state in
            state.hasEnded = true
            state.dirty.removeAll()
            defer { state.tasks.removeAll() }
            return state.tasks
        }
        dirty.removeAll()
        for task in last { task() }
        for source in sources.values { source.loopStopped() }
        for lookup in lookups.values { lookup.join() }
        lookups.removeAll()
    }
}

/// The error of the call that has just returned.
func lastError(_ call: String, _ subject: String = "") -> SystemError {
    SystemError(call: call, subject: subject, errno: errno)
}
