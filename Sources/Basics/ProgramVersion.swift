/// What `dualnorm --version` says, and files say that they were written by.
package let programVersion = "0.1.0"
