// Max-pooling by 2 and its gradient.

/// Returns the first pixel in x of the square of pooled pixel p. An odd last row or column of x is ignored.
DEVICE int64 square(int64 p, int height, int width) {
  int64 line = p / (width / 2), column = p % (width / 2), image = line / (height / 2), row = line % (height / 2);
  return (image * height + 2 * row) * width + 2 * column;
}

/// Max-pools by 2.
KERNEL(pool)(const STORED *x, int64 pixels, int channels, int height, int width, STORED *y) {
  Place at = place(channels);
  FOR_PIXELS(at, pixels) {
    const STORED *upper = x + square(p, height, width) * channels + at.channel, *lower = upper + int64(width) * channels;
    Values a = load(upper), b = load(upper + channels), d = load(lower), e = load(lower + channels);
    FOR_VALUES {
      REAL first = a.of[i] >= b.of[i] ? a.of[i] : b.of[i], second = d.of[i] >= e.of[i] ? d.of[i] : e.of[i];
      a.of[i] = first >= second ? first : second;
    }
    store(a, y + p * channels + at.channel);
  }
}

/// Gradient of max-pooling: dy where x is the largest of its square, the first of equals, and 0 elsewhere.
KERNEL(pool_input)(const STORED *x, const STORED *dy, int64 pixels, int channels, int height, int width, STORED *dx) {
  Place at = place(channels);
  FOR_PIXELS(at, pixels) {
    int64 corner = square(p, height, width) * channels + at.channel, below = corner + int64(width) * channels;
    Values a = load(x + corner), b = load(x + corner + channels), d = load(x + below), e = load(x + below + channels);
    Values g = load(dy + p * channels + at.channel);
    FOR_VALUES {
      bool is_a = a.of[i] >= b.of[i] && a.of[i] >= d.of[i] && a.of[i] >= e.of[i];
      bool is_b = !is_a && b.of[i] >= d.of[i] && b.of[i] >= e.of[i];
      bool is_d = !is_a && !is_b && d.of[i] >= e.of[i];
      a.of[i] = is_a ? g.of[i] : 0;
      b.of[i] = is_b ? g.of[i] : 0;
      d.of[i] = is_d ? g.of[i] : 0;
      e.of[i] = is_a || is_b || is_d ? 0 : g.of[i];
    }
    store(a, dx + corner);
    store(b, dx + corner + channels);
    store(d, dx + below);
    store(e, dx + below + channels);
  }
}
