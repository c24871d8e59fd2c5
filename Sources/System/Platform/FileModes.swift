import Glibc

/// The permissions of what this process makes.
package enum FileModes {
    /// Folders get 0700 and files 0600 from here on, whatever mask the process was started with.
    package static func keepPrivate() { umask(0o077) }
}
