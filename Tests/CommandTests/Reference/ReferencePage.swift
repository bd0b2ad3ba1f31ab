import Foundation

/// The page `docs/reference.md`, generated from the program's own descriptions.
struct ReferencePage {
  let program: CommandInfo
  let keys: [ConfigurationKey]

  var text: String {
    let train = program.verbs.first { $0.commandName == "train" }
    let blocks = [opening] + program.verbs.map { section(of: $0, sharing: train) } + [configuration(of: train)]
    return blocks.joined(separator: "\n\n") + "\n"
  }

  private var opening: String {
    """
    # Reference

    For everyone at the command line: every verb with its options, and the keys of the file of options. `make reference` makes
    this page from the program's own help, and a test fails where it differs. Change the help, not this page.

    Every verb also takes `--help` and `--version`. Exit code: 0 done, 1 an error, 64 wrong usage, 130 stopped by Ctrl-C.

    \(program.verbs.map { "- [\($0.words)](#\(anchor($0.words))): \(escaped($0.abstract ?? ""))" }.joined(separator: "\n"))
    - [The file of options](#\(anchor(Self.configurationTitle)))
    """
  }

  private static let configurationTitle = "The file of options"

  private func section(of verb: CommandInfo, sharing train: CommandInfo?) -> String {
    var blocks = ["## \(verb.words)", escaped(verb.abstract ?? "")]
    if !verb.examples.isEmpty { blocks.append(verb.examples.map { "    " + $0 }.joined(separator: "\n")) }
    blocks += verb.remarks.map { linked(escaped($0)) }
    let shared = train.flatMap { groups(of: $0).first { $0.title != nil } }
    for (title, arguments) in groups(of: verb) {
      if let title, let shared, verb.path != train?.path, arguments.map(\.names) == shared.arguments.map(\.names) {
        let link = anchor("\(shared.title ?? "") of train")
        blocks.append("\(escaped(title)): the [\(arguments.count) options](#\(link)) of `train`.")
      } else {
        if let title { blocks.append("### \(title) of \(verb.words)") }
        blocks.append(table(of: arguments))
      }
    }
    return blocks.joined(separator: "\n\n")
  }

  /// The arguments of a verb, by the sections of its help.
  private func groups(of verb: CommandInfo) -> [(title: String?, arguments: [ArgumentInfo])] {
    verb.ownArguments.reduce(into: [(title: String?, arguments: [ArgumentInfo])]()) { groups, argument in
      if let place = groups.firstIndex(where: { $0.title == argument.sectionTitle }) {
        groups[place].arguments.append(argument)
      } else {
        groups.append((argument.sectionTitle, [argument]))
      }
    }
  }

  private func table(of arguments: [ArgumentInfo]) -> String {
    let rows = arguments.map { argument in
      let value = argument.kind == .flag ? "" : " <\(argument.valueName ?? "")>"
      let name =
        argument.kind == .positional
        ? "<\(argument.valueName ?? "")>" : (argument.names ?? []).map(\.typed).joined(separator: ", ") + value
      let standard = argument.isOptional ? argument.standard.map(escaped) ?? "" : "required"
      return [
        code(name + (argument.isRepeating ? " …" : "")), linked(escaped(argument.purpose)),
        argument.values.map(code).joined(separator: ", "), standard,
      ]
    }
    return markdownTable(["option", "what", "values", "default"], rows)
  }

  private func configuration(of train: CommandInfo?) -> String {
    let options = train?.ownArguments ?? []
    let place = { (key: ConfigurationKey) in options.firstIndex { $0.preferredName?.name == key.name } ?? options.count
    }
    let rows = keys.sorted { place($0) < place($1) }.map { key in
      let option = options.first { $0.preferredName?.name == key.name }
      let values = ["standard", "published"].map { recipe in
        key.values.first { $0.key.rawValue == recipe }.map { code($0.value) } ?? option?.standard.map(escaped) ?? ""
      }
      return [code(key.name), linked(escaped(option?.purpose ?? "")), key.type, code(key.example)] + values
    }
    return """
      ## \(Self.configurationTitle)

      `--config FILE` of `train` and `experiment` reads options from YAML: `key: value` lines, keys named as the options. A run
      folder's `config.yaml` and an experiment's `training.yaml` are such files, with every option as resolved. An option on the
      command line wins over the file. Options that neither gives come from the recipe.

      \(markdownTable(["key", "what", "values", "example", "default (standard)", "default (published)"], rows))
      """
  }

  private func markdownTable(_ head: [String], _ rows: [[String]]) -> String {
    ([head, head.map { _ in "---" }] + rows).map { "| " + $0.joined(separator: " | ") + " |" }.joined(separator: "\n")
  }
}

extension CommandInfo {
  /// The words of the verb without the program's name: `experiment matrix`.
  fileprivate var words: String { path.split(separator: " ").dropFirst().joined(separator: " ") }
}

/// A heading's anchor, made as on GitHub.
private func anchor(_ heading: String) -> String {
  heading.lowercased().filter { $0.isLetter || $0.isNumber || " -_".contains($0) }.replacingOccurrences(
    of: " ", with: "-")
}

/// Escapes all Markdown characters of a text.
private func escaped(_ text: String) -> String {
  text.reduce(into: "") { $0 += (#"\`*<|[]"#.contains($1) ? "\\" : "") + String($1) }
}

/// Code in a table cell, where a bar would end the cell.
private func code(_ text: String) -> String { "`" + text.replacingOccurrences(of: "|", with: "\\|") + "`" }

/// Turns names of pages into links from this page.
private func linked(_ text: String) -> String {
  text.replacing(/docs\/([a-z-]+\.md)/) { "[\($0.output.1)](\($0.output.1))" }
}
