import Foundation

exit(go(Array(CommandLine.arguments.dropFirst())).rawValue)
