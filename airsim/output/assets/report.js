"use strict";
// Draws the figures of the page from the data block, in the chosen language.
(() => {
  const page = JSON.parse(document.getElementById("figures").textContent);
  const root = document.documentElement;
  const config = { displayModeBar: false, responsive: true };
  const font = { family: getComputedStyle(document.body).fontFamily, size: 12, color: "#1d2630" };
  const common = { font, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "#fff", hoverlabel: { namelength: -1 } };
  const language = () => root.dataset.lang;

  const unpacked = new WeakMap();
  function unpack(matrix) {
    if (!unpacked.has(matrix)) {
      const bytes = Uint8Array.from(atob(matrix.packed), (c) => c.charCodeAt(0));
      const view = new DataView(bytes.buffer);
      const [rows, columns] = matrix.shape;
      const z = [];
      for (let i = 0; i < rows; i++) {
        const row = new Array(columns);
        for (let j = 0; j < columns; j++) {
          const coded = view.getInt16(2 * (i * columns + j), true);
          row[j] = coded === -32768 ? null : coded * matrix.scale;
        }
        z.push(row);
      }
      unpacked.set(matrix, z);
    }
    return unpacked.get(matrix);
  }

  // {zh, en} -> the phrase, {packed, ...} -> the matrix, everything else as it is
  function resolve(value) {
    if (Array.isArray(value)) return value.map(resolve);
    if (value === null || typeof value !== "object") return value;
    if ("zh" in value && "en" in value) return value[language()];
    if ("packed" in value) return unpack(value);
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, resolve(v)]));
  }

  // paper does not answer to resizing: there the width is given
  const width = (place) => (root.classList.contains("printing") ? { width: place.clientWidth } : { autosize: true });

  function draw(figure) {
    const place = document.getElementById(figure.id);
    // a chart inside a closed <details> has no width yet
    if (!place || place.closest("details:not([open])")) return;
    Plotly.react(place, resolve(figure.data), Object.assign({}, common, resolve(figure.layout), width(place)), config);
  }

  const slider = document.getElementById("frame");
  function drawMaps() {
    const maps = page.maps;
    if (!maps) return;
    const frame = maps.frames[slider ? Number(slider.value) : 0];
    const label = document.getElementById("frame-label");
    if (label) label.textContent = frame.label[language()];
    for (const panel of maps.panels) {
      const place = document.getElementById("map-" + panel.key);
      const difference = panel.key === "difference";
      const bar = { orientation: "h", thickness: 10, len: 0.8, y: 0, yanchor: "top", ypad: 6, outlinewidth: 0,
        ticksuffix: "", title: { text: "μg/m³", side: "bottom", font: { size: 11 } } };
      const data = [
        { type: "heatmap", x: maps.x, y: maps.y, z: unpack(frame[panel.key]), colorbar: bar,
          zmin: difference ? -maps.change : 0, zmax: difference ? maps.change : maps.top,
          colorscale: difference ? maps.diverging : maps.sequential,
          hovertemplate: "%{z:.1f} μg/m³<extra></extra>" },
        { type: "scatter", mode: "lines", x: maps.lines.x, y: maps.lines.y, hoverinfo: "skip",
          line: { color: "rgba(20,20,20,0.65)", width: 1 } },
        { type: "scatter", mode: "text", x: maps.labels.map((l) => l.x), y: maps.labels.map((l) => l.y),
          text: maps.labels.map((l) => l.text[language()]), hoverinfo: "skip",
          textfont: { size: 12, color: "#000", shadow: "0 0 3px #fff, 0 0 3px #fff, 0 0 3px #fff" } },
      ];
      // as high as the domain asks for at this width, and room for the colour bar
      const height = Math.round((place.clientWidth - 8) * maps.ratio) + 62;
      Plotly.react(place, data, Object.assign({}, common, resolve(maps.layout), { height }, width(place)), config);
    }
  }

  function drawAll() {
    drawMaps();
    page.figures.forEach(draw);
  }

  function speak(lang) {
    root.dataset.lang = lang;
    root.lang = lang === "zh" ? "zh-CN" : "en";
    document.title = page.title[lang];
    for (const button of document.querySelectorAll(".languages button")) {
      button.setAttribute("aria-pressed", String(button.dataset.to === lang));
    }
    drawAll();
  }

  for (const button of document.querySelectorAll(".languages button")) {
    button.addEventListener("click", () => speak(button.dataset.to));
  }
  for (const details of document.querySelectorAll("details")) details.addEventListener("toggle", drawAll);
  if (slider) slider.addEventListener("input", drawMaps);
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details.print")) details.open = true;
    root.classList.add("printing");
    drawAll();
  });
  addEventListener("afterprint", () => {
    root.classList.remove("printing");
    drawAll();
  });
  speak(language());
  root.dataset.drawn = "yes";
})();
