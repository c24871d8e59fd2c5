#if PLANTED_MISTAKES

/// A mistake that a test makes on purpose, to see that another test finds it. Debug builds only:
/// a release build has neither the switch nor the places that ask for it.
package enum PlantedMistake: Sendable {
    /// What is written is acknowledged before its sync.
    case acknowledgesEarly
    /// A valid block behind invalid bytes makes them damage, whatever was durable.
    case takesOrderForProof
    /// Recovery cuts at the first invalid block, also below the durable mark.
    case cutsBelowTheMark
    /// The sizes that a block's header tells are not compared with the limits.
    case believesLengths

    /// The mistakes of the work at hand. Bound to the thread, so that tests beside it go on well.
    @TaskLocal package static var active: Set<PlantedMistake> = []

    /// Whether the work at hand makes this mistake.
    package static func isActive(_ mistake: PlantedMistake) -> Bool { active.contains(mistake) }
}

#endif
