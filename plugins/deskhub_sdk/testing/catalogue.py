"""The words the demo world is made of: people, product models, ticket titles, places."""

from __future__ import annotations

from typing import Literal, NamedTuple

Sizes = Literal["shoe", "wear", "colour"]

VARIANTS: dict[Sizes, tuple[str, ...]] = {
    "shoe": ("39", "40", "41", "42", "43", "44"),
    "wear": ("XS", "S", "M", "L", "XL", "XXL"),
    "colour": ("Pine", "Slate", "Sand", "Rust", "Bone", "Plum"),
}


class PersonSeed(NamedTuple):
    """A customer before dice are thrown."""

    name: str
    email: str
    language: str
    city: str
    currency: str


class ModelSeed(NamedTuple):
    """A product model; it comes in six variants of *sizes*. *yuan* is its price."""

    code: str
    name: str
    sizes: Sizes
    yuan: int
    category: str
    final_sale: bool = False


def _cn(name: str, latin: str, city: str) -> PersonSeed:
    return PersonSeed(name, f"{latin}@example.com", "zh-CN", city, "CNY")


def _en(name: str, city: str, currency: str = "USD") -> PersonSeed:
    local = name.lower().replace(" ", ".")
    return PersonSeed(name, f"{local}@example.com", "en", city, currency)


# C-1001 is the first of these, C-1040 the last.
PEOPLE: tuple[PersonSeed, ...] = (
    _cn("Wang Fang 王芳", "fang.wang", "Hangzhou"),
    _en("Tom Becker", "Hamburg"),
    _en("John Smith", "Portland"),
    _cn("Zhao Lei 赵磊", "lei.zhao", "Beijing"),
    _en("Priya Raman", "Singapore", "CNY"),
    _en("Marta Novak", "Prague"),
    _cn("Zhang Min 张敏", "min.zhang", "Chengdu"),
    _cn("Liu Yang 刘洋", "yang.liu", "Shanghai"),
    _en("Sofia Rossi", "Milan"),
    _cn("Chen Yu 陈宇", "yu.chen", "Guangzhou"),
    _cn("Li Na 李娜", "na.li", "Wuhan"),
    _cn("Huang Jie 黄杰", "jie.huang", "Shenzhen"),
    _en("Emily Carter", "Denver"),
    _cn("Zhou Ting 周婷", "ting.zhou", "Nanjing"),
    _cn("Wu Gang 吴刚", "gang.wu", "Xi'an"),
    _en("Lucas Martin", "Lyon"),
    _cn("Xu Jing 徐静", "jing.xu", "Suzhou"),
    _cn("Sun Hao 孙浩", "hao.sun", "Qingdao"),
    _en("Hannah Olsen", "Bergen"),
    _cn("Ma Li 马丽", "li.ma", "Kunming"),
    _en("Daniel Kim", "Seattle"),
    _cn("Zhu Lin 朱琳", "lin.zhu", "Xiamen"),
    _cn("Hu Bin 胡斌", "bin.hu", "Changsha"),
    _en("Olivia Brown", "Leeds"),
    _cn("Guo Yan 郭艳", "yan.guo", "Tianjin"),
    _cn("He Peng 何鹏", "peng.he", "Chongqing"),
    _en("Noah Wilson", "Calgary"),
    _cn("Gao Xue 高雪", "xue.gao", "Harbin"),
    _cn("Lin Tao 林涛", "tao.lin", "Fuzhou"),
    _en("Ana Silva", "Porto"),
    _cn("Luo Qian 罗倩", "qian.luo", "Guiyang"),
    _cn("Zheng Kai 郑凯", "kai.zheng", "Ningbo"),
    _en("Peter Novotny", "Brno"),
    _cn("Liang Hui 梁慧", "hui.liang", "Nanning"),
    _en("Grace Tan", "Singapore", "CNY"),
    _cn("Xie Dong 谢东", "dong.xie", "Hefei"),
    _en("Mia Andersson", "Malmo"),
    _cn("Han Mei 韩梅", "mei.han", "Jinan"),
    _en("Omar Haddad", "Dubai"),
    _cn("Tang Rui 唐睿", "rui.tang", "Zhuhai"),
)

_SHOES = (
    ("TS", "Trail Shoe", 399), ("RR", "Ridge Runner", 459), ("MM", "Moor Mid", 529),
    ("SL", "Scree Low", 369), ("DW", "Dune Walker", 339), ("FL", "Fell Light", 489),
    ("BG", "Bracken GTX", 649), ("HH", "Heath Hiker", 579), ("CS", "Col Sprint", 519),
    ("GM", "Gully Mid", 559), ("TB", "Tarn Boot", 699), ("PW", "Pass Walker", 429),
    ("KR", "Karst Racer", 549), ("LL", "Loam Low", 359), ("CB", "Cairn Boot", 729),
    ("VS", "Valley Slip-on", 289), ("SB", "Snow Boot", 799), ("CC", "Camp Clog", 199),
    ("RS", "River Sandal", 259), ("KT", "Kids Trail", 299),
)  # fmt: skip
_WEAR = (
    ("WJ", "Wind Jacket", 469), ("RJ", "Rain Jacket", 699), ("FM", "Fleece Midlayer", 359),
    ("DV", "Down Vest", 559), ("TT", "Trail Tee", 149), ("LT", "Long-sleeve Tee", 179),
    ("TP", "Trek Pants", 329), ("RT", "Running Tights", 239), ("SH", "Trail Shorts", 189),
    ("BM", "Base Layer Merino", 389), ("RG", "Rain Gloves", 159), ("LG", "Liner Gloves", 89),
    ("BE", "Merino Beanie", 99), ("SC", "Sun Cap", 89), ("GT", "Gaiters", 119),
    ("CK", "Compression Socks", 59), ("HK", "Hiking Socks", 49), ("PO", "Rain Poncho", 139),
)  # fmt: skip
_GEAR = (
    ("DP", "Day Pack 18 l", 299), ("HP", "Hike Pack 38 l", 649), ("RV", "Running Vest", 399),
    ("SP", "Trekking Poles", 359), ("HL", "Head Lamp", 229), ("WB", "Water Bottle", 79),
    ("SF", "Soft Flask", 69), ("FK", "First-aid Kit", 129), ("DB", "Dry Bag", 89),
    ("CT", "Camp Towel", 59), ("MT", "Trail Mug", 65), ("SM", "Sit Mat", 49),
    ("LC", "Spare Laces", 19), ("IN", "Cork Insoles", 119), ("WX", "Leather Wax", 45),
    ("BR", "Shoe Brush", 39), ("GL", "Sole Glue", 29), ("BK", "Buff", 69),
    ("BT", "Belt", 99), ("TN", "Bivvy Tent", 999), ("SG", "Sunglasses", 259),
)  # fmt: skip

MODELS: tuple[ModelSeed, ...] = (
    *(ModelSeed(code, name, "shoe", yuan, "Shoes") for code, name, yuan in _SHOES),
    ModelSeed("MS", "Merino socks", "wear", 29, "Socks", final_sale=True),
    *(
        ModelSeed(code, name, "wear", yuan, "Clothing", final_sale=code in {"CK", "LG"})
        for code, name, yuan in _WEAR
    ),
    *(
        ModelSeed(code, name, "colour", yuan, "Gear", final_sale=code in {"GL", "LC"})
        for code, name, yuan in _GEAR
    ),
)

TICKET_TITLES: tuple[str, ...] = (
    "Seam opens after two weeks",
    "Parcel shows delivered, customer did not get it",
    "发票抬头需要更正",
    "Wrong size in the box",
    "Refund has not arrived",
    "左脚鞋底开胶",
    "Address change after packing",
    "Discount code was not applied",
    "Colour differs from the photo",
    "赠品漏发",
    "Asks for resoling under warranty",
    "Zip of the jacket jams",
    "物流停滞超过三天",
    "Wholesale price list for spring",
    "Exchange for a larger size",
    "Cannot sign in to the shop",
)

CRM_NOTES: tuple[str, ...] = (
    "Prefers a call back in the evening.",
    "偏好顺丰快递,周末收货。",
    "Runs trail races; asks about drop and stack height.",
    "Wide feet, usually takes half a size up.",
    "曾参加新品试穿活动。",
    "Asked for invoices in the company's name.",
    "Very patient during the warehouse move.",
    "喜欢通过微信沟通。",
)

HUBS: tuple[str, ...] = ("Hangzhou", "Wuhan", "Shanghai", "Chengdu", "Guangzhou", "Tianjin")
CARRIERS: tuple[tuple[str, str], ...] = (
    ("SF Express", "SF"), ("JD Logistics", "JD"), ("YTO Express", "YT"),
)  # fmt: skip
METHODS: dict[str, tuple[str, ...]] = {
    "CNY": ("Alipay", "WeChat Pay", "UnionPay"),
    "USD": ("Visa", "PayPal", "Mastercard"),
}
