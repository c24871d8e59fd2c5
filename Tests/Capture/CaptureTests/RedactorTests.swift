import Capture
import Foundation
import Platform
import Testing

@Suite struct RedactorTests {
    @Test func `the search finds what a plain search finds`() {
        var random = SeededRandom(seed: 11)
        for _ in 0..<3_000 {
            // A small alphabet makes near misses and overlaps frequent.
            let text = (0..<Int(random.next(below: 80))).map { _ in
                UInt8(97 + random.next(below: 3))
            }
            let needles = (0..<Int(1 + random.next(below: 3))).map { _ in
                (0..<Int(4 + random.next(below: 6))).map { _ in UInt8(97 + random.next(below: 3)) }
            }
            let search = SecretSearch(needles)
            let expected = (0...text.count).first { start in
                needles.contains { text[start...].starts(with: $0) }
            }
            let found = search.first(in: text.span.bytes, from: 0)
            #expect(found?.lowerBound == expected)
            if let found { #expect(needles.contains(Array(text[found]))) }
        }
    }

    @Test func `needles of very different lengths are found at both ends`() {
        let long = Array(String(repeating: "x", count: 400).utf8) + [0x21]
        let search = SecretSearch([Array("abcd".utf8), long])
        #expect(search.finds(Array("zzzabcd".utf8)))
        #expect(search.finds(Array("abcdzzz".utf8)))
        #expect(search.finds(Array("ab".utf8) + long))
        #expect(!search.finds(Array(long.dropLast())))
        #expect(!SecretSearch([Array("abc".utf8)]).finds(Array("abcabc".utf8)))
    }

    @Test func `a secret is masked in every form`() {
        let secret = "p@ss/w0rd+2026=X"
        let redactor = Redactor([secret])
        #expect(redactor.text("a \(secret) b") == "a *** b")
        // By hand, from RFC 3986.
        #expect(redactor.text("?key=p%40ss%2Fw0rd%2B2026%3DX&x") == "?key=***&x")
        #expect(redactor.text("?key=p%40ss%2fw0rd%2b2026%3dX&x") == "?key=***&x")
        for user in ["", "u", "us", "use", "user"] {
            let basic = Data("\(user):\(secret)".utf8).base64EncodedString()
            let masked = redactor.text("Basic \(basic)")
            #expect(masked.contains("***"))
            // What is left must not let more than a byte at each end be read.
            #expect(masked.count <= "Basic ***".count + (user.count + 1) * 4 / 3 + 6)
        }
    }

    @Test(arguments: [
        #"k"e\y/<1>&'2"#,  // As it is.
        #"k\"e\\y/<1>&'2"#, #"k\"e\\y\/<1>&'2"#, #"k\"e\\y/<1>&\'2"#,
        #"k\"e\\y/\u003c1\u003e\u0026'2"#,
    ])
    func `a secret is masked as JSON and C escape it`(form: String) {
        let redactor = Redactor([#"k"e\y/<1>&'2"#])
        #expect(redactor.text("(\(form))") == "(***)")
    }

    @Test func `names tell secrets whatever their value`() {
        let redactor = Redactor([])
        for name in [
            "x-token", "Authorization", "Cookie", "set-cookie", "x-api-key", "x-token-bin",
        ] {
            #expect(redactor.value(Array("v".utf8), of: name) == Array("***".utf8))
        }
        for name in ["sec-websocket-accept", "date", "server", "user-agent"] {
            #expect(redactor.value(Array("v".utf8), of: name) == Array("v".utf8))
        }
    }

    @Test func `secrets side by side and inside each other are masked whole`() {
        let redactor = Redactor(["secret-one", "secret-one-and-more"])
        #expect(redactor.text("secret-onesecret-one") == "******")
        #expect(redactor.text("<secret-one-and-more>") == "<***>")
        #expect(redactor.text("secret-on") == "secret-on")
    }
}

extension SecretSearch {
    fileprivate func finds(_ bytes: [UInt8]) -> Bool { matches(in: bytes.span.bytes) }
}
