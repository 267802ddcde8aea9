(() => {
  "use strict";
  const colours = ["#1f5fa8", "#c2502e", "#2f7d4f", "#7b4fa0", "#a87a00", "#1e8a92", "#a63a61", "#59636e"];
  const dashes = [[], [6, 4], [2, 3]];
  const printed = { width: 320, height: 190 };

  const show = (number) => (number == null ? "" : String(Number(number.toPrecision(6))));
  const size = (box) => ({ width: Math.max(box.clientWidth, 200), height: 240 });

  const draw = (holder) => {
    const data = JSON.parse(holder.querySelector("script").textContent);
    const box = holder.querySelector(".plot"), button = holder.querySelector("button");
    const numbers = data.lines.flatMap((line) => line.y).filter((y) => y != null);
    let plot = null, isLog = false;
    button.disabled = numbers.length === 0 || numbers.some((y) => y <= 0);
    const axis = (label, more) => ({
      label, labelSize: 20, labelFont: "12px system-ui, sans-serif", font: "11px system-ui, sans-serif",
      stroke: "#555", grid: { stroke: "#e8e8e8", width: 1 }, ticks: { stroke: "#ccc", width: 1, size: 4 },
      ...more
    });
    const make = () => {
      if (plot) plot.destroy();
      plot = new uPlot({
        ...size(box),
        scales: { x: { time: false }, y: { distr: isLog ? 3 : 1 } },
        axes: [axis(data.x_label, { size: 32 }), axis(data.y_label, {
          size: 58, values: (u, ticks) => ticks.map(show)
        })],
        series: [
          { label: data.x_label, value: (u, x) => show(x) },
          ...data.lines.map((line) => ({
            label: line.label, stroke: colours[line.colour % colours.length], width: 1.5, spanGaps: true,
            dash: dashes[line.dash % dashes.length], value: (u, y) => show(y),
            points: { show: data.x.length <= 40, size: 4 }
          }))
        ],
        cursor: { points: { size: 7 } }
      }, [data.x, ...data.lines.map((line) => line.y)], box);
    };
    button.addEventListener("click", () => {
      isLog = !isLog;
      button.textContent = isLog ? "linear scale" : "log scale";
      make();
    });
    make();
    new ResizeObserver(() => {
      const wanted = size(box);
      if (box.clientWidth > 0 && wanted.width !== plot.width) plot.setSize(wanted);
    }).observe(box);
    window.addEventListener("beforeprint", () => plot.setSize(printed));
    window.addEventListener("afterprint", () => plot.setSize(size(box)));
  };

  for (const holder of document.querySelectorAll(".chart")) {
    const folded = holder.closest("details:not([open])");
    if (folded) {
      folded.addEventListener("toggle", () => draw(holder), { once: true });
    } else {
      draw(holder);
    }
  }

  for (const slides of document.querySelectorAll(".slides")) {
    const range = slides.querySelector("input"), label = slides.querySelector("output");
    const images = slides.querySelectorAll("img");
    range.addEventListener("input", () => {
      images.forEach((image, i) => { image.hidden = i !== Number(range.value); });
      label.textContent = images[range.value].alt;
    });
  }
})();
