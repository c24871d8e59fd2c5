/// Tokens that were there long before the run. Who copies whom can only be told where there are many
/// more tokens than one wallet buys, and where leaders have closed twenty of them with a gain: a small
/// market has not coins enough for that.
extension SolanaChainSynthesis {
    /// Raydium's pools on which anything may happen.
    var raydiumWithoutElders: [Int] {
        raydium.indices.filter { !cast.elders.contains($0) }
    }

    /// Every older token is bought by somebody in the first half of the run, and leaders are sent to
    /// theirs.
    mutating func playElders(_ context: SolanaSlotContext) {
        let made = scenes.made
        if made == 1 { planLessons(context) }
        let half = max(options.slots / 2, 1)
        let spread = EvenSpread(count: UInt32(clamping: cast.elders.count), over: half)
        guard made <= half else { return }
        for _ in 0..<spread.due(at: made) { buyElder(context) }
    }

    private mutating func buyElder(_ context: SolanaSlotContext) {
        let place = cast.elders.lowerBound + scenes.elders
        scenes.elders += 1
        guard cast.elders.contains(place) else { return }
        let venue = MarketVenue.raydium(raydium[place].pool.address)
        guard !books.isHeld(venue.pool),
            let stranger = pickStrangers(1, isBuy: true, on: venue.pool).first
        else { return }
        let budget = amount(perMille: 4...12, of: venue)
        fund(stranger, budget, on: venue)
        self.place(stranger, .spend(budget), on: venue, context)
    }

    /// Lessons in the first two fifths, what they lead on in the second half.
    private mutating func planLessons(_ context: SolanaSlotContext) {
        let slots = UInt64(options.slots)
        let share = ActorCast.lessons + ActorCast.samples
        for (lane, leader) in cast.leaders.prefix(ActorCast.leadersAtOnce).enumerated() {
            for number in 0..<share {
                let place = cast.elders.lowerBound + lane * share + number
                let isLesson = number < ActorCast.lessons
                let step = UInt64(isLesson ? number : number - ActorCast.lessons)
                let due =
                    isLesson
                    ? 2 + slots * 2 / 5 * step / UInt64(ActorCast.lessons)
                    : slots * 11 / 20 + slots * 7 / 20 * step / UInt64(ActorCast.samples)
                scenes.add(
                    SceneSchedule.Scene(
                        due: context.slot + due,
                        venue: .raydium(raydium[place].pool.address),
                        next: .leaderBuys(leader)
                    )
                )
            }
        }
    }
}
