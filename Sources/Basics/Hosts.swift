/// Tells whether a name or address is this machine's own, which no other machine reaches.
package func isLoopback(_ host: String) -> Bool {
  let host = host.lowercased()
  return ["localhost", "::1", "[::1]"].contains(host) || host.wholeMatch(of: /127\.\d{1,3}\.\d{1,3}\.\d{1,3}/) != nil
}
