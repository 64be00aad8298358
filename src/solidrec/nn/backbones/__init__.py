"""Backbones, which encode an embedded history as a user state (listed in `registry.BACKBONES`)."""

from __future__ import annotations

from solidrec.nn.backbones.base import Backbone, CausalBackbone
from solidrec.nn.backbones.bert4rec import BERT4Rec
from solidrec.nn.backbones.bsarec import BSARec
from solidrec.nn.backbones.din import DIN
from solidrec.nn.backbones.gru4rec import GRU4Rec
from solidrec.nn.backbones.ligr import LiGR
from solidrec.nn.backbones.sasrec import SASRec

__all__ = ["BERT4Rec", "BSARec", "Backbone", "CausalBackbone", "DIN", "GRU4Rec", "LiGR", "SASRec"]
