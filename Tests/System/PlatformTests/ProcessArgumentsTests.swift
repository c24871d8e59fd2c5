import Testing

@testable import Platform

@Test func `the kernel tells the same words as the standard library`() {
    #expect(!CommandLine.arguments.isEmpty)
    #expect(ProcessArguments.all == CommandLine.arguments)
    #expect(ProcessArguments.told == CommandLine.arguments)
}
