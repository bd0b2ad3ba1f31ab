/// The version that `dualnorm --version` prints, output files record and packages have in their names.
package let programVersion = "0.1.0"
