"""The words of the trade in Chinese, simplified and traditional, each with its concepts.

Chinese headers have no spaces: they are taken apart from the left, the longest
word first. Many Japanese headers are written with the same words.

Next: provenance/ingest/inspecting/tokens.py
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["CHARACTERS", "HAN", "segmented"]

CHARACTERS: Final = r"\u3400-\u9fff"
"""A range of characters for regular expressions."""
_RUN: Final = re.compile(f"[{CHARACTERS}]+")
_TEXT: Final = {
    "number": "号 编号 号码 单号 單號 編號 號碼 號 番号",
    "id": "标识",
    "code": "代码 编码 代碼 編碼 代号",
    "line": "行 行号 项次 项号 項次",
    "row": "序号 序號",
    "date": "日期 日 日付",
    "time": "时间 時間 时刻",
    "planned": "预计 计划 要求 预定 预期 预约 应 預計 計劃 要求 予定 期望",
    "recorded": "创建 录入 制单 登记 更新 过账 過帳 建立 记账",
    "actual": "实际 實際",
    "order": "订单 訂單 订货 訂貨 下单 注文",
    "purchase": "采购 採購 购买",
    "sales": "销售 銷售",
    "shipment": "货运 物流 运单号码",
    "shipped": "发货 出库 出货 装运 起运 离港 开船 發貨 出貨 出庫 發運 发运 出荷 始发 启运",
    "delivery": "送货 交货 交付 配送 送貨 交貨 派送",
    "received": "收货 到货 签收 入库 到达 到港 接收 抵达 抵港 收貨 到貨 簽收 入庫 妥投",
    "produced": "生产 生產 制造 製造",
    "expiry": "有效期 失效 到期 保质期 效期 有效期至",
    "event": "事件 动作 节点",
    "vendor": "供应商 供應商 卖方 供货商 厂商 賣方 销售方",
    "maker": "制造商 生产商 生产厂家 厂家 生产企业 製造商 生产厂商",
    "consignee": "客户 收货人 收货方 买方 进口商 客戶 收貨人 買方 收件人 购买方",
    "shipper": "发货人 发货方 寄件人 出口商 發貨人 托运人",
    "notify": "通知人 通知方",
    "carrier": "承运商 承运人 物流公司 快递公司 承運商 承運人 船公司 货代",
    "vessel": "船名 船舶 航次 航班",
    "site": "仓库 工厂 仓 库房 地点 倉庫 工廠 站点 场所 网点",
    "party": "名称 名稱 公司 姓名",
    "country": "国 国家 国别 國 國家 国家地区",
    "origin": "原产 产地 原產 原产地 始发地",
    "destination": "目的 目的地",
    "port": "港 港口 口岸",
    "loading": "装货 裝貨",
    "discharge": "卸货 卸貨",
    "city": "城市 市",
    "address": "地址",
    "state": "省 省份",
    "product": "物料 商品 产品 货物 货品 材料 產品 貨物 料 货 款",
    "description": "描述 说明 品名",
    "gtin": "条码 条形码 條碼",
    "hs": "海关编码 税号 税则号 稅號",
    "lot": "批次 批号 批 批號",
    "serial": "序列号 序列號",
    "brand": "品牌",
    "category": "类别 类型 种类 分类 類別",
    "bol": "提单 运单 提單 運單 运货单",
    "tracking": "快递单 物流单",
    "invoice": "发票 發票",
    "container": "集装箱 货柜 柜 箱号 貨櫃",
    "package": "件 箱 包 托 箱数",
    "quantity": "数量 數量 数 件数",
    "weight": "重量 重",
    "gross": "毛",
    "net": "净 淨",
    "volume": "体积 體積",
    "value": "金额 价值 货值 金額 总价 貨值",
    "price": "单价 价格 單價 价",
    "total": "总 合计 總",
    "unit": "单位 計量單位 计量单位 單位",
    "currency": "币种 币别 货币 幣別 幣種",
    "temperature": "温度 溫度",
    "mode": "方式",
    "transport": "运输 運輸",
    "freight": "运费 運費",
    "incoterm": "贸易条款 成交方式",
    "status": "状态 狀態",
    "remark": "备注 備註 说明",
    "worker": "司机 司機",
    "vehicle": "车牌 车辆 车",
    "other": "规格 規格 型号 電話 电话 邮箱 手机",
}
HAN: Final[dict[str, str]] = {
    word: concept for concept, text in _TEXT.items() for word in text.split()
}
"""Word -> concept."""
_LONGEST: Final = max(map(len, HAN))


def segmented(text: str) -> str:
    """Put spaces between the words of every run of Chinese characters."""
    return _RUN.sub(lambda run: f" {' '.join(_words(run[0]))} ", text)


def _words(run: str) -> list[str]:
    words, at = [], 0
    while at < len(run):
        size = next((n for n in range(_LONGEST, 0, -1) if run[at : at + n] in HAN), 1)
        words.append(run[at : at + size])
        at += size
    return words
