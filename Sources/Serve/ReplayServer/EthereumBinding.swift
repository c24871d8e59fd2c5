// A client is bound to a recorded connection as long as the subscriptions that it makes are those
// of the recorder, in the recorder's order. What the recorder was sent is then what it is sent.

import EthereumDecoding
import RecordModel

/// What a bound client has made of the recorded calls.
struct EthereumBinding {
    /// The place of the stream in the index.
    let stream: Int
    private let calls: [EthereumRecordedCall]
    /// For each call the id that the client gave it; nil while it has not made it.
    private var made: [[UInt8]?]
    private var isAnswered: [Bool]
    /// The first call that the client may still make.
    private var next = 0
    /// Places of calls by the record that completes their answer, or them.
    private var byAnswer: [Sequence: [Int]] = [:]
    private var byCall: [Sequence: [Int]] = [:]
    /// A client that let the time for another call pass is not waited for again, unless it
    /// concerns subscriptions.
    private var waitsForOthers = true

    /// - Parameters:
    ///   - stream: the place of the stream in the index.
    ///   - index: where it is.
    ///   - continues: the client goes on from an earlier connection; nothing is asked of it and no
    ///     answer is sent.
    init(_ stream: Int, in index: EthereumRecordingIndex, continues: Bool = false) {
        self.stream = stream
        calls = index.streams[stream].calls
        made = calls.map { continues ? $0.id : nil }
        isAnswered = Array(repeating: continues, count: calls.count)
        next = continues ? calls.count : 0
        for (number, call) in calls.enumerated() {
            byCall[call.sequence, default: []].append(number)
            if let answer = call.answer { byAnswer[answer.last, default: []].append(number) }
        }
    }

    /// How a call of the client is answered.
    enum Match: Equatable {
        /// It is this recorded call, and answered at once.
        case now(Int)
        /// It is this recorded call; the answer comes where it came.
        case inPlace(Int)
        /// It is none of the recorded calls, and changes nothing about the binding.
        case foreign
        /// The client goes another way than the recorder.
        case parted
    }

    /// Takes a call of the client.
    ///
    /// - Parameters:
    ///   - ask: what it asks for.
    ///   - id: the call's id as it stands.
    ///   - place: how far the client has been served.
    /// - Returns: how it is answered.
    mutating func match(_ ask: EthereumAsk, id: [UInt8], at place: EthereumPlace) -> Match {
        var number = next
        while number < calls.count, calls[number].ask != ask {
            if calls[number].ask.isSubscription { break }
            number += 1
        }
        guard number < calls.count, calls[number].ask == ask, let answer = calls[number].answer
        else { return ask.isSubscription ? .parted : .foreign }
        if !ask.isSubscription {
            // One that lies behind or far ahead is answered from what is known here.
            guard answer.last > place.sequence, isNear(answer, place) else { return .foreign }
        }
        let isNow = answer.isPrompt || answer.last <= place.sequence
        guard isNow || isNear(answer, place) else { return .parted }
        if isNow, answer.text.isEmpty { return ask.isSubscription ? .parted : .foreign }
        made[number] = id
        isAnswered[number] = isNow
        next = number + 1
        return isNow ? .now(number) : .inPlace(number)
    }

    private func isNear(_ answer: EthereumRecordedCall.Answer, _ place: EthereumPlace) -> Bool {
        answer.isPrompt
            || answer.time &- max(place.time, calls[0].answer?.time ?? place.time)  // of the start
                <= EthereumRecordingIndex.lateNanosecondsMax
    }

    /// Whether the record completes calls of the recorder that the client has not made and should
    /// be given time for.
    func mustWait(at sequence: Sequence) -> Bool {
        guard let numbers = byCall[sequence] else { return false }
        return numbers.contains { number in
            made[number] == nil && calls[number].answer != nil
                && (calls[number].ask.isSubscription || waitsForOthers)
        }
    }

    /// The time for the calls at a record is over.
    ///
    /// - Returns: whether the client remains bound: nothing but queries is missing.
    mutating func stopWaiting(at sequence: Sequence) -> Bool {
        let numbers = byCall[sequence] ?? []  // nothing is missing there
        let isSubscriptionMissing = numbers.contains {
            made[$0] == nil && calls[$0].answer != nil && calls[$0].ask.isSubscription
        }
        waitsForOthers = false
        if let last = numbers.last, !isSubscriptionMissing { next = max(next, last + 1) }
        return !isSubscriptionMissing
    }

    /// The calls whose answer a message is; nil when it is no recorded answer.
    func answers(at sequence: Sequence) -> [Int]? { byAnswer[sequence] }

    /// Takes a call to be answered in its place.
    ///
    /// - Returns: the client's id; nil when the client did not make it or has its answer.
    mutating func takeAnswer(_ number: Int) -> [UInt8]? {
        guard let id = made[number], !isAnswered[number] else { return nil }
        isAnswered[number] = true
        return id
    }

    /// Calls that were made and still wait for their answer.
    var unanswered: [(number: Int, id: [UInt8])] {
        made.indices.compactMap { number in
            guard let id = made[number], !isAnswered[number] else { return nil }
            return (number, id)
        }
    }
}
