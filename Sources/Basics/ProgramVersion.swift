/// The version that `dualnorm --version` prints and output files record.
package let programVersion = "0.1.0"
